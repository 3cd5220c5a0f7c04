// The only script: lets a file be dropped anywhere on the frame. The page works the same without it.
"use strict";
for (const frame of document.querySelectorAll("[data-drop]")) {
  const input = frame.querySelector('input[type="file"]');
  const apart = document.getElementById("manifest");
  const put = (field, file) => {
    if (!file) { return; }
    const box = new DataTransfer();
    box.items.add(file);
    field.files = box.files;
  };
  for (const kind of ["dragenter", "dragover"]) {
    frame.addEventListener(kind, (event) => { event.preventDefault(); frame.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    frame.addEventListener(kind, () => frame.classList.remove("over"));
  }
  frame.addEventListener("drop", (event) => {
    event.preventDefault();
    const dropped = [...event.dataTransfer.files];
    const labels = dropped.filter((file) => file.name.toLowerCase().endsWith(".c2pa"));
    const others = dropped.filter((file) => !labels.includes(file));
    if (others.length && labels.length) {
      put(apart, labels[0]);
      apart.closest("details").open = true;
    }
    put(input, others[0] || labels[0]);
  });
}
