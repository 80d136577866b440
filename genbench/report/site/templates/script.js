"use strict";
(() => {
  const root = document.documentElement;
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;

  const toggle = document.getElementById("theme");
  const name = () => { toggle.textContent = dark() ? "Light" : "Dark"; };
  try { root.dataset.theme = localStorage.getItem("theme") || ""; } catch { root.dataset.theme = ""; }
  if (!root.dataset.theme) delete root.dataset.theme;
  toggle.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* pages from disk may have no storage */ }
    name();
    dispatchEvent(new Event("theme"));
  });
  // paper is white
  let chosen;
  matchMedia("print").addEventListener("change", (print) => {
    if (print.matches) [chosen, root.dataset.theme] = [root.dataset.theme, "light"];
    else if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { name(); dispatchEvent(new Event("theme")); });
  name();

  function sort(table, header) {
    const headers = [...header.parentNode.children];
    const column = headers.indexOf(header);
    const up = header.getAttribute("aria-sort") !== "ascending";
    headers.forEach((h) => h.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.children[column].dataset.v ?? row.children[column].textContent.trim();
    const rows = [...table.tBodies[0].rows];
    const empty = (v) => v === undefined || v === "";
    rows.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (empty(x) || empty(y)) return empty(x) - empty(y);
      const gap = Number(x) - Number(y);
      return (Number.isNaN(gap) ? x.localeCompare(y, "en", { numeric: true }) : gap) * (up ? 1 : -1);
    });
    table.tBodies[0].append(...rows);
  }
  document.querySelectorAll("table.sortable").forEach((table) => {
    table.querySelectorAll("thead button").forEach((button) =>
      button.addEventListener("click", () => sort(table, button.closest("th"))));
  });
  document.querySelectorAll(".all-columns").forEach((box) => box.addEventListener("change", () =>
    box.closest("section").querySelector(".board").classList.toggle("compact", !box.checked)));

  // one data set's table at a time; without scripts all of them stand below each other
  const choice = document.getElementById("choice");
  const choose = () => document.querySelectorAll(".choice").forEach((part) => { part.hidden = part.dataset.name !== choice.value; });
  if (choice) {
    choice.addEventListener("change", choose);
    choose();
  }

  document.querySelectorAll("input.filter").forEach((input) => input.addEventListener("input", () => {
    const rows = [...document.getElementById(input.dataset.for).tBodies[0].rows];
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row) => { row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word)); });
    const left = rows.filter((row) => !row.hidden).length;
    document.getElementById(`${input.dataset.for}-count`).textContent = words.length ? `${left} of ${rows.length} rows` : "";
  }));

  const age = document.getElementById("age");
  const finished = age ? Date.parse(age.dataset.finished) : NaN;
  if (!Number.isNaN(finished)) {
    const days = Math.floor((Date.now() - finished) / 86_400_000);
    age.textContent += days < 1 ? " (today)" : days === 1 ? " (1 day)" : ` (${days} days)`;
  }
})();
