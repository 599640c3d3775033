// The table by keyboard, and what is chosen kept in the address.
"use strict";
(() => {
  const form = () => document.getElementById("runs");
  const rows = () => [...document.querySelectorAll("tr[data-run]")];
  let here = null; // the id of the run that the keys are at: rows come and go, ids stay

  const rowHere = () => rows().find((row) => row.dataset.run === here);

  function mark() {
    for (const row of rows()) row.classList.toggle("here", row.dataset.run === here);
  }

  function go(step) {
    const all = rows(), at = all.findIndex((row) => row.dataset.run === here);
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    if (!next) return;
    here = next.dataset.run;
    mark();
    next.scrollIntoView({block: "nearest"});
    next.querySelector(".name a:not(.fold)")?.focus({preventScroll: true});
  }

  // Those that are ticked here, and those that were ticked on other pages of the table.
  function chosen() {
    return [...document.querySelectorAll('input[name="run"]:checked, #elsewhere input')].map((box) => box.value);
  }

  function withChosen(address) {
    address.searchParams.delete("run");
    for (const id of chosen()) address.searchParams.append("run", id);
    return address;
  }

  // What is chosen belongs to the view: it stands in the address, so that a link and a refresh have it, too.
  function keepChosen() {
    const address = withChosen(new URL(location.href));
    const changes = document.querySelectorAll(".changes button");
    for (const each of changes) each.disabled = !chosen().length;
    history.replaceState(null, "", address);
    const button = document.getElementById("compare"), count = chosen().length;
    if (!button) return;
    button.textContent = count ? `Compare ${count}` : "Compare";
    button.disabled = count < 2;
    document.getElementById("over-seeds").disabled = count < 2;
    button.classList.toggle("first", count > 1);
    const link = document.getElementById("here");
    if (link) link.href = `./${address.search}`;
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
    const act = {
      j: () => go(1), k: () => go(-1), ArrowDown: () => go(1), ArrowUp: () => go(-1),
      " ": () => { const box = rowHere()?.querySelector("input"); if (!box) return false; box.checked = !box.checked; keepChosen(); },
      c: () => chosen().length > 1 && form()?.requestSubmit(),
      Enter: () => { if (event.target.closest("a, button")) return false; rowHere()?.querySelector(".name a:not(.fold)")?.click(); },
      "/": () => document.getElementById("filter")?.focus(),
      "?": () => { const keys = document.getElementById("keys"); if (keys) keys.open = !keys.open; },
    }[event.key];
    if (!act || (event.key === " " && event.target.closest("button, input"))) return;
    if (act() !== false) event.preventDefault();
  }

  document.addEventListener("keydown", onKey);
  // Sorted, unfolded or a page further, the table has the same ticks: they may be younger than its links.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#main a[href]");
    if (link && !link.closest("#elsewhere") && /^(\.\/|columns|spread)(\?|$)/.test(link.getAttribute("href"))) link.href = withChosen(new URL(link.href)).href;
  }, true);
  document.addEventListener("change", (event) => { if (event.target.name === "run") keepChosen(); });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr[data-run]");
    if (row) { here = row.dataset.run; mark(); }
  });
  document.addEventListener("runstore:refreshed", () => { mark(); keepChosen(); });
  keepChosen();
})();
