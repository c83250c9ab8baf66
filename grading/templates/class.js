"use strict";
// Sorting by the headers of a table, and choosing rows of the class; without this script the page is read as it stands.

function compare(kind, first, second) {
  if (first === second) return 0;
  if (first === "" || second === "") return null; // what has no value stays at the end, whichever way is up
  return kind === "number" ? Number(first) - Number(second) : first.localeCompare(second, undefined, { numeric: true });
}

function sort(table, header) {
  const column = header.cellIndex;
  const up = header.getAttribute("aria-sort") !== "ascending";
  for (const other of header.parentElement.cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = (row) => row.cells[column].dataset.value;
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    const order = compare(header.dataset.kind, value(a), value(b));
    return order === null ? (value(a) === "") - (value(b) === "") : up ? order : -order;
  });
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const button of table.querySelectorAll("thead button")) {
    button.addEventListener("click", () => sort(table, button.parentElement));
  }
}

const text = document.getElementById("filter"), kind = document.getElementById("kind"), shown = document.getElementById("shown");

function choose() {
  const wanted = text.value.trim().toLocaleLowerCase();
  const rows = [...document.getElementById("submissions").tBodies[0].rows];
  for (const row of rows) {
    const named = row.dataset.named.toLocaleLowerCase().includes(wanted);
    row.hidden = !(named && (kind.value === "" || row.dataset.kinds.split(" ").includes(kind.value)));
  }
  shown.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
}

text.addEventListener("input", choose);
kind.addEventListener("change", choose);
choose(); // a browser that goes back fills the fields in again
