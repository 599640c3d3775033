// Live refresh: asks for this very address again and changes only what is different, so that focus, selection, folds and
// the place on the page stay. While nobody looks, nothing is asked for; while the database is away, what was there stays.
"use strict";
(() => {
  const EVERY_MS = 5000, LONGEST_MS = 60000;
  const live = document.getElementById("live"), main = document.getElementById("main");
  let seen = new Date(), wait = EVERY_MS, timer = null, underWay = null, isWantedAgain = false;

  const clock = (date) => date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});

  function say() {
    const away = document.body.dataset.away, seconds = Math.round((new Date() - seen) / 1000);
    live.textContent = away
      ? `as of ${clock(seen)}, ${away}`
      : `● live, ${seconds < 60 ? seconds + " s" : Math.round(seconds / 60) + " min"} ago`;
    live.classList.toggle("away", Boolean(away));
    live.setAttribute("role", away ? "status" : "none"); // seconds that pass are read to nobody
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(refresh, wait);
  }

  // One at a time: htmx puts a second request of the same element off, and says at once that it is done. Whoever asks while one
  // is under way may know of something newer than its answer, so that there is one more after it.
  function refresh() {
    isWantedAgain = true;
    underWay ??= refreshWhileWanted().finally(() => { underWay = null; });
    return underWay;
  }

  async function refreshWhileWanted() {
    while (isWantedAgain) {
      isWantedAgain = false;
      await refreshOnce();
    }
  }

  async function refreshOnce() {
    // Where somebody writes, nothing is changed under the hand.
    const [part, ...others] = [...main.querySelectorAll("[data-live]")].filter((each) => !each.querySelector(".edit[open]"));
    if (document.hidden || !part) return later();
    let status = 0;
    const judge = (event) => {
      status = event.detail.ctx.response.status;
      if (status >= 400) event.preventDefault();
    };
    part.addEventListener("htmx:before:response", judge);
    try {
      await htmx.ajax("GET", location.href, {
        source: part, target: part, select: `#${part.id}`, swap: "outerMorph",
        selectOOB: others.map((each) => `#${each.id}:outerMorph`).join(","), // one answer for all parts
      });
    } finally {
      part.removeEventListener("htmx:before:response", judge);
    }
    if (status && status < 400) {
      seen = new Date();
      wait = EVERY_MS;
      delete document.body.dataset.away;
      document.dispatchEvent(new CustomEvent("runstore:refreshed"));
    } else {
      wait = Math.min(2 * wait, LONGEST_MS);
      document.body.dataset.away = status && status < 500 ? "what is shown is not there any more" : "the database does not answer";
    }
    say();
    later();
  }

  // What is edited in place: the answer has the same part of the page, also where somebody else was quicker. Without script the
  // answer is a page.
  document.addEventListener("submit", async (event) => {
    const form = event.target, part = form.closest("[data-live]");
    if (!form.matches("[data-in-place]")) return;
    event.preventDefault();
    if (form.ariaBusy === "true") return; // a second click, or Enter, while the first is under way
    form.ariaBusy = "true";
    let status = 0;
    const judge = (answer) => {
      status = answer.detail.ctx.response.status;
      if (status >= 400 && status !== 400 && status !== 409) answer.preventDefault();
    };
    form.addEventListener("htmx:before:response", judge);
    try {
      await htmx.ajax("POST", form.action, {source: form, target: part, select: `#${part.id}`, swap: "outerHTML"});
    } finally {
      form.removeEventListener("htmx:before:response", judge);
      form.ariaBusy = null;
    }
    if (status && status < 400) document.querySelector(`#${part.id} summary`)?.focus();
    else if (status === 400 || status === 409) document.querySelector(`#${part.id} .edit[open] [name=text]`)?.focus();
    else {
      const said = part.querySelector(".refused") ?? part.insertAdjacentElement("afterbegin", document.createElement("p"));
      said.className = "refused";
      said.setAttribute("role", "alert");
      said.textContent = status ? `Not changed: the answer is ${status}. Try again, or load the page anew.` : "Not changed: the page does not answer. Try again.";
    }
  });

  // A choice in a list is sent at once; without script there is a button.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  window.runstore = {refresh};
  if (main.querySelector("[data-live]")) {
    setInterval(say, 1000);
    say();
    later();
  }
})();
