// The chooser of columns: what is found changes with each letter, and what is ticked goes over to what is shown.
"use strict";
(() => {
  const search = document.getElementById("search"), form = search.form;
  let timer = null;

  async function find() {
    const address = `columns?${new URLSearchParams(new FormData(form))}`;
    await htmx.ajax("GET", address, {source: form, target: "#offered", select: "#offered", swap: "outerHTML"});
    history.replaceState(null, "", address);
  }

  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, 50); });
  form.addEventListener("submit", (event) => { event.preventDefault(); find(); });
  document.addEventListener("change", (event) => {
    const label = event.target.closest("#offered label");
    if (label) document.querySelector("#columns fieldset").append(label);
  });
  search.focus();
})();
