// The field of the filter: what may stand at the caret, and what was asked before.
"use strict";
(() => {
  const field = document.getElementById("filter"), list = document.getElementById("offers");
  const HISTORY = "runstore-filters", MOST = 50;
  let typed = false, timer = null, start = 0, at = -1, back = -1, asked = 0;

  function earlier() {
    try { return JSON.parse(localStorage.getItem(HISTORY)) || []; } catch { return []; }
  }

  function close() {
    list.replaceChildren();
    list.hidden = true;
    at = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    const items = [...list.children];
    at = (index + items.length) % items.length;
    items.forEach((item, each) => item.setAttribute("aria-selected", String(each === at)));
    items[at].scrollIntoView({block: "nearest"});
    field.setAttribute("aria-activedescendant", items[at].id);
  }

  function show(found) {
    close();
    start = found.start;
    for (const [index, offer] of found.offers.entries()) {
      const item = document.createElement("li"), note = document.createElement("small");
      item.id = `offer-${index}`;
      item.role = "option";
      item.dataset.text = offer.text;
      item.append(offer.text.trim(), note);
      note.textContent = offer.note || "";
      list.append(item);
    }
    list.hidden = !list.children.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
  }

  async function complete() {
    const number = ++asked, address = new URL("complete", location.href);
    address.search = new URLSearchParams({
      text: field.value.slice(0, field.selectionStart),
      experiment: document.getElementById("experiment")?.value || "",
    });
    const answer = await fetch(address, {credentials: "same-origin"}).catch(() => null);
    if (!answer?.ok || number !== asked || document.activeElement !== field) return;
    show(await answer.json());
  }

  function take(text) {
    const rest = field.value.slice(field.selectionStart);
    typed = false;
    field.value = field.value.slice(0, start) + text + rest.replace(/^[\w.'"]+/, "");
    field.selectionStart = field.selectionEnd = start + text.length;
    complete();
  }

  function soon() { clearTimeout(timer); timer = setTimeout(complete, 120); }

  field.addEventListener("input", () => { back = -1; typed = true; soon(); });
  field.addEventListener("focus", () => { typed = false; if (!field.value) soon(); });
  field.addEventListener("blur", () => setTimeout(close, 150));
  list.addEventListener("mousedown", (event) => {
    const item = event.target.closest("li");
    if (item) { event.preventDefault(); take(item.dataset.text); }
  });
  field.addEventListener("keydown", (event) => {
    const isOpen = !list.hidden;
    if (event.key === "Escape") {
      if (isOpen) close(); else field.blur();
    } else if (event.key === "ArrowDown" && isOpen) {
      event.preventDefault();
      mark(at + 1);
    } else if (event.key === "ArrowUp" && isOpen && at >= 0) {
      event.preventDefault();
      mark(at - 1);
    } else if (event.key === "ArrowUp") {
      const filters = earlier();
      if (!filters.length) return;
      event.preventDefault();
      back = Math.min(back + 1, filters.length - 1);
      field.value = filters[back];
      close();
    } else if ((event.key === "Tab" && !event.shiftKey && isOpen && (typed || at >= 0)) || (event.key === "Enter" && at >= 0)) {
      event.preventDefault();
      take(list.children[Math.max(at, 0)].dataset.text);
    }
  });
  field.form.addEventListener("submit", () => {
    const value = field.value.trim();
    if (!value) return;
    try { localStorage.setItem(HISTORY, JSON.stringify([value, ...earlier().filter((each) => each !== value)].slice(0, MOST))); } catch { /* not kept then */ }
  });
})();
