// The steps of a series of files as a slider: the address that it leads to is that of the list beside it.
"use strict";
(() => {
  const slider = document.getElementById("steps"), list = slider.form.elements.name;
  slider.hidden = false;
  slider.addEventListener("input", () => { list.selectedIndex = Number(slider.value); });
  slider.addEventListener("change", () => slider.form.requestSubmit());
})();
