// What is pleasant and not needed: passwords that can be shown, and a word on their length while typing.
"use strict";
for (const field of document.querySelectorAll("input[data-show]")) {
  const toggle = document.createElement("button");
  toggle.type = "button";
  toggle.className = "show";
  toggle.setAttribute("aria-controls", field.id);
  toggle.textContent = field.dataset.show;
  toggle.addEventListener("click", () => {
    const hidden = field.type === "password";
    field.type = hidden ? "text" : "password";
    toggle.textContent = hidden ? field.dataset.hide : field.dataset.show;
  });
  field.after(toggle);
  field.form.addEventListener("submit", () => { field.type = "password"; });
  if (field.dataset.least) {
    const said = document.createElement("p");
    said.className = "grow";
    said.setAttribute("role", "status");
    toggle.after(said);
    field.addEventListener("input", () => {
      const length = [...field.value].length;
      const text = length === 0 ? "" : length < Number(field.dataset.least) ? field.dataset.short : field.dataset.long;
      if (said.textContent !== text) said.textContent = text;
    });
  }
}
const first = document.querySelector("input[aria-invalid=true]") ?? (document.querySelector(".alert") ? null : document.querySelector("input:not([type=hidden]):not([readonly])"));
if (first) first.focus();
