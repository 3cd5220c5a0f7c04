// The only script: lets a file be dropped anywhere on the frame. The page works the same without it.
"use strict";
for (const frame of document.querySelectorAll("[data-drop]")) {
  const input = frame.querySelector('input[type="file"]');
  for (const kind of ["dragenter", "dragover"]) {
    frame.addEventListener(kind, (event) => { event.preventDefault(); frame.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    frame.addEventListener(kind, () => frame.classList.remove("over"));
  }
  frame.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; }
  });
}
