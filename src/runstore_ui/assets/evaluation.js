// The threshold as a slider: what is chosen goes into the address, and only what is different on the page changes.
"use strict";
(() => {
  const WAIT_MS = 80;
  const form = document.getElementById("choices"), number = document.getElementById("threshold");
  const slider = document.getElementById("slider");
  let timer = null, running = false, again = false;

  async function recompute() {
    if (running) { again = true; return; }
    running = true;
    try {
      do {
        again = false;
        const address = new URL(location.href);
        address.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "")).toString();
        history.replaceState(null, "", address);
        const results = document.getElementById("results");
        await htmx.ajax("GET", location.href, {source: results, target: results, select: "#results", swap: "outerMorph"});
      } while (again);
    } finally {
      running = false;
    }
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(recompute, WAIT_MS);
  }

  slider.closest("label").hidden = false;
  slider.addEventListener("input", () => { number.value = Number(slider.value).toPrecision(4); soon(); });
  number.addEventListener("input", () => { slider.value = number.value; if (number.checkValidity()) soon(); });
  // Another file or another class has another usual threshold: the page is asked for anew.
  form.addEventListener("change", (event) => {
    if (event.target.matches('select[name="file"], select[name="class"]')) {
      number.value = "";
      form.requestSubmit();
    } else if (event.target.matches("select")) soon();
  });
})();
