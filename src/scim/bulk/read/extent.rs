//! Where a JSON value ends, before anybody knows whether it is one.

/// Follows the bytes of one value to its end.
///
/// It only counts brackets and minds strings: whatever is wrong inside is found when the value is
/// read, and a value that ends too early leaves something behind that fits nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// Inside a number or a word, which ends where something else begins.
    bare: bool,
}

impl Extent {
    /// How many of the bytes belong to the value, and whether it ends with them.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (place, byte) in bytes.iter().enumerate() {
            if self.in_text {
                let ends = *byte == b'"' && !self.escaped;
                self.escaped = *byte == b'\\' && !self.escaped;
                self.in_text = !ends;
                if ends && self.depth == 0 {
                    return (place + 1, true);
                }
                continue;
            }
            match byte {
                b'"' | b'{' | b'[' if self.bare => return (place, true),
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    if self.depth <= 1 {
                        return (place + self.depth, true);
                    }
                    self.depth -= 1;
                }
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    return (place, true);
                }
                _ => self.bare = self.depth == 0,
            }
        }
        (bytes.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_it_ends_however_it_is_cut() {
        let table = [
            ("{\"a\":[1,{\"b\":\"}\"}]},2", 19),
            ("\"a\\\"b\\\\\"x", 8),
            ("12.5e3,", 6),
            ("true]", 4),
            ("null \n", 4),
            ("[]]", 2),
            ("1\"a\"", 1),
        ];
        for (text, expected) in table {
            for size in 1..=text.len() {
                let (mut extent, mut length, mut ended) = (Extent::default(), 0, false);
                for piece in text.as_bytes().chunks(size) {
                    let (taken, done) = extent.feed(piece);
                    length += taken;
                    ended = done;
                    if done {
                        break;
                    }
                }
                assert_eq!((length, ended), (expected, true), "{text} in pieces of {size}");
            }
        }
    }
}
