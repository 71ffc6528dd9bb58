//! How a tenant shows itself in mails and on people's pages: a name, a colour, a logo.

use crate::domain::plain;

/// Longest name, in characters.
pub const LONGEST_NAME: usize = 60;
/// Largest logo, in bytes.
pub const LARGEST_LOGO: usize = 64 * 1024;
/// Most pixels of a logo in each direction.
const MOST_PIXELS: u32 = 2_000;
/// The colour of who has set none.
pub const COLOR: &str = "#1f5fbf";

/// How a tenant shows itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brand {
    /// The name, plain text that leads nowhere ([`plain::check`]); none where the tenant has set none.
    pub name: Option<String>,
    /// The colour of buttons, `#rrggbb` in lower case.
    pub color: Option<String>,
    /// The logo.
    pub logo: Option<Logo>,
}

/// A picture whose bytes the tenant gave; it is never fetched from anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// Which of the two formats it is.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
    /// Pixels from left to right, as the file says.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// The formats of logos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PNG (RFC 2083).
    Png,
    /// JPEG.
    Jpeg,
}

impl Format {
    /// `image/png` or `image/jpeg`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

impl Brand {
    /// The brand of this name and colour. The error is a sentence.
    pub fn new(
        name: Option<&str>,
        color: Option<&str>,
        logo: Option<Logo>,
    ) -> Result<Self, String> {
        let name = name.map(str::trim);
        if let Some(name) = name {
            plain::check("The name", name, LONGEST_NAME)?;
        }
        let color = color.map(|color| {
            let color = color.trim().to_ascii_lowercase();
            let wrong = || format!("color is '#' and six hexadecimal digits, such as {COLOR}.");
            rgb(&color).ok_or_else(wrong).map(|_| color)
        });
        Ok(Self { name: name.map(str::to_owned), color: color.transpose()?, logo })
    }

    /// The colour of buttons.
    pub fn color(&self) -> &str {
        self.color.as_deref().unwrap_or(COLOR)
    }

    /// The colour of what stands on a button: black or white, whichever can be read better (WCAG 2.2,
    /// contrast ratio).
    pub fn color_on_button(&self) -> &'static str {
        let light = rgb(self.color()).map_or(0.0, luminance);
        // The ratios to black and to white are equal at this luminance.
        if light > 0.179 { "#000000" } else { "#ffffff" }
    }
}

impl Logo {
    /// The logo in these bytes, whose format and size are read from the file itself. The error is a
    /// sentence.
    pub fn of(bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.len() > LARGEST_LOGO {
            return Err(format!("The logo is larger than {LARGEST_LOGO} bytes."));
        }
        let (format, size) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            (Format::Png, size_of_png(&bytes))
        } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            (Format::Jpeg, size_of_jpeg(&bytes))
        } else {
            return Err("The logo is neither a PNG nor a JPEG file.".to_owned());
        };
        let fine = 1..=MOST_PIXELS;
        match size {
            Some((width, height)) if fine.contains(&width) && fine.contains(&height) => {
                Ok(Self { format, bytes, width, height })
            }
            Some((width, height)) => Err(format!(
                "The logo is {width} by {height} pixels; at most {MOST_PIXELS} by {MOST_PIXELS} are taken."
            )),
            None => Err("The logo's file is damaged: it does not say how large it is.".to_owned()),
        }
    }
}

/// RFC 2083 s4.1.1: IHDR comes first.
fn size_of_png(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.get(8..24)?;
    let number =
        |from: usize| Some(u32::from_be_bytes(header.get(from..from + 4)?.try_into().ok()?));
    (&header[4..8] == b"IHDR").then_some((number(8)?, number(12)?))
}

/// ITU-T T.81 annex B: the frame header is the first marker C0 to CF but C4, C8 and CC.
fn size_of_jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut place = 2;
    loop {
        let &[0xff, marker] = bytes.get(place..place + 2)? else { return None };
        if marker == 0xff {
            place += 1;
            continue;
        }
        let number = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        match marker {
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                return Some((number(place + 7)?.into(), number(place + 5)?.into()));
            }
            // Without a length, or behind the header already.
            0x01 | 0xd0..=0xda => return None,
            _ => place += 2 + usize::from(number(place + 2)?),
        }
    }
}

fn rgb(color: &str) -> Option<[u8; 3]> {
    let digits = color.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let fine = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let part = |from: usize| u8::from_str_radix(digits.get(from..from + 2)?, 16).ok();
    if fine { Some([part(0)?, part(2)?, part(4)?]) } else { None }
}

/// WCAG 2.2, relative luminance.
fn luminance(rgb: [u8; 3]) -> f64 {
    let linear = |part: u8| {
        let share = f64::from(part) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = rgb.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    #[test]
    fn a_logo_is_what_its_bytes_are() {
        let logo = Logo::of(png(120, 40)).unwrap();
        assert_eq!((logo.format, logo.width, logo.height), (Format::Png, 120, 40));
        let jpeg = [
            &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc0, 0, 11, 8][..],
            &[0, 40, 0, 120, 1],
        ];
        let logo = Logo::of(jpeg.concat()).unwrap();
        assert_eq!((logo.format, logo.width, logo.height), (Format::Jpeg, 120, 40));
        let large = [png(1, 1), vec![0; LARGEST_LOGO]].concat();
        for (wrong, said) in [
            (b"<svg onload=alert(1)>".to_vec(), "neither"),
            (b"GIF89a".to_vec(), "neither"),
            (Vec::new(), "neither"),
            (png(0, 5), "pixels"),
            (png(5, 100_000), "pixels"),
            (png(1, 1)[..20].to_vec(), "damaged"),
            (vec![0xff, 0xd8, 0xff, 0xe0, 0, 0], "damaged"),
            (vec![0xff, 0xd8, 0xff, 0xda, 0, 0], "damaged"),
            (large, "larger"),
        ] {
            let refusal = Logo::of(wrong).unwrap_err();
            assert!(refusal.contains(said), "{refusal}");
        }
    }

    #[test]
    fn a_brand_is_a_plain_name_and_a_colour() {
        let brand = Brand::new(Some(" Acme "), Some("#FFdd00"), None).unwrap();
        assert_eq!((brand.name.as_deref(), brand.color()), (Some("Acme"), "#ffdd00"));
        assert_eq!(brand.color_on_button(), "#000000");
        assert_eq!(Brand::default().color_on_button(), "#ffffff");
        for color in ["red", "#fff", "#12345g", "123456", "#1234567", "#ééé"] {
            assert!(Brand::new(None, Some(color), None).is_err(), "{color}");
        }
        assert!(Brand::new(Some("acme.com"), None, None).is_err());
    }

    #[test]
    fn whatever_the_colour_the_button_can_be_read() {
        for step in 0..=51_u8 {
            let part = step * 5;
            for rgb in [[part, part, part], [part, 0, 0], [0, part, 0], [0, 255, part]] {
                let color = format!("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
                let brand = Brand::new(None, Some(&color), None).unwrap();
                let on = super::rgb(brand.color_on_button()).unwrap();
                let (one, other) = (luminance(rgb), luminance(on));
                let ratio = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(ratio >= 4.5, "{color}: {ratio}");
            }
        }
    }
}
