// The chooser of columns: what is found changes with each letter, and what is ticked goes over to what is shown.
"use strict";
(() => {
  const search = document.getElementById("search"), form = search.form;
  let timer = null, running = false, again = false;

  // One at a time, and the last letters last: htmx puts off one request of the same element, and drops those after it.
  async function find() {
    if (running) { again = true; return; }
    running = true;
    try {
      do {
        again = false;
        const address = `columns?${new URLSearchParams(new FormData(form))}`;
        await htmx.ajax("GET", address, {source: form, target: "#offered", select: "#offered", swap: "outerHTML"});
        history.replaceState(null, "", address);
      } while (again);
    } finally {
      running = false;
    }
  }

  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, 50); });
  form.addEventListener("submit", (event) => { event.preventDefault(); find(); });
  document.addEventListener("change", (event) => {
    const label = event.target.closest("#offered label");
    if (label) document.querySelector("#columns fieldset").append(label);
  });
  search.focus();
})();
