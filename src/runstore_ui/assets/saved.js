// A click on a head of a table of runs sorts it by that column. Everything is there without it.
for (const table of document.querySelectorAll("table.runs")) {
  const key = cell => cell.querySelector("time")?.dateTime ?? (cell.title || cell.textContent.trim());
  const number = text => parseFloat(text.replaceAll(",", "").replace("∞", "Infinity"));
  const compared = (a, b) => {
    const [one, other] = [number(a), number(b)];
    return Number.isNaN(one) || Number.isNaN(other) ? a.localeCompare(b, "en", {numeric: true}) : one - other;
  };
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.title = "sort by this column";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.ariaSort === "descending" ? 1 : -1;
      const rows = [...table.tBodies[0].rows].map(row => [key(row.cells[place]), row]);
      rows.sort(([a], [b]) => !a - !b || down * compared(a, b));
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.ariaSort = down < 0 ? "descending" : "ascending";
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}
