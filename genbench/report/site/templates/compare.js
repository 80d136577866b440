"use strict";
(() => {
  const { data, watch } = globalThis.genbench;
  const out = document.getElementById("compared");
  const [first, second, headlines] = ["a", "b", "headlines"].map((id) => document.getElementById(id));
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const select of [first, second]) {
    const wanted = asked.get(select.id);
    if ([...select.options].some((o) => o.value === wanted)) select.value = wanted;
  }
  if (first.value === second.value && second.options.length > 1) second.selectedIndex = first.selectedIndex ? 0 : 1;

  // text nodes alone: names come from records and are shown as they are
  const make = (tag, about = {}, ...inside) => {
    const thing = document.createElement(tag);
    for (const [key, value] of Object.entries(about)) thing.setAttribute(key, value);
    thing.append(...inside);
    return thing;
  };
  const digits = (x) => String(Number(x.toPrecision(3)));
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

  /** The paired difference a - b over common seeds: mean, half of the t interval, how many. */
  function difference(a, b) {
    const gaps = Object.keys(a).filter((seed) => seed in b).map((seed) => a[seed] - b[seed]);
    const n = gaps.length;
    if (!n) return { n };
    const gap = mean(gaps);
    if (n < 2) return { n, gap };
    const spread = Math.sqrt(gaps.reduce((sum, g) => sum + (g - gap) ** 2, 0) / (n - 1));
    return { n, gap, half: data.student[n] * spread / Math.sqrt(n) };
  }

  function verdict({ n, gap, half }, { better, closed }, names) {
    if (closed) return `not judged here: ${closed}`;
    if (n < 5) return "too few seeds to tell";
    if (better === "none") return "no direction";
    if (gap === 0 && half === 0) return "equal";
    if (Math.abs(gap) <= half) return "cannot be distinguished";
    return `${(gap < 0) === (better === "lower") ? names[0] : names[1]} is better`;
  }

  function scores(table, a, b) {
    const names = [first.value, second.value];
    const head = make("tr", {}, ...["score", ...names, "a − b", "seeds", "says", "protocol"].map((t) => make("th", { scope: "col" }, t)));
    const body = make("tbody");
    table.columns.forEach((column, i) => {
      const [x, y] = [a.values[i], b.values[i]];
      if (!x || !y || (headlines.checked && !column.headline)) return;
      const gap = difference(x, y);
      const shownGap = gap.n ? digits(gap.gap) + (gap.half === undefined ? "" : ` ± ${digits(gap.half)}`) : "no common seed";
      const cells = [digits(mean(Object.values(x))), digits(mean(Object.values(y))), shownGap, String(gap.n)];
      body.append(make("tr", {}, make("th", { scope: "row" }, column.heading),
        ...cells.map((text) => make("td", { class: "num" }, text)),
        make("td", {}, verdict(gap, column, names)), make("td", { class: "reason" }, make("span", { class: "about" }, column.about))));
    });
    if (!body.children.length) return make("p", { class: "note" }, "No column that both have.");
    const label = `${names[0]} and ${names[1]} on ${table.name}`;
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      make("table", {}, make("caption", {}, label), make("thead", {}, head), body));
  }

  // a narrow column breaks labels between words
  const breakable = (label) => label.split(/(?<=[_=/:])/).flatMap((piece) => [piece, make("wbr")]);

  function picture(group, table) {
    const words = `Samples of ${group.label}, ${group.about}`;
    const shown = group.points
      ? make("canvas", { role: "img", "aria-label": words, "data-points": group.points, "data-centres": table.centres })
      : group.png ? make("img", { src: group.png, alt: words })
        : group.text ? make("pre", { class: "text", tabindex: "0", role: "region", "aria-label": words }, group.text)
          : make("div", { class: "none" }, group.about);
    return make("figure", {}, shown, make("figcaption", {}, make("b", {}, ...breakable(group.label)), group.about));
  }

  function show() {
    out.replaceChildren();
    for (const table of data.tables) {
      const [a, b] = [first, second].map((select) => table.groups.find((g) => g.label === select.value));
      if (!a || !b) continue;
      out.append(make("section", {}, make("h2", {}, make("a", { href: table.page }, table.name)),
        make("div", { class: "gallery pair" }, picture(a, table), picture(b, table)), scores(table, a, b)));
    }
    if (!out.children.length) out.append(make("p", {}, "No data set has both."));
    watch(out);
    try {
      history.replaceState(null, "", "#" + new URLSearchParams({ a: first.value, b: second.value }));
    } catch { /* some browsers keep no history of pages from disk */ }
  }
  for (const control of [first, second, headlines]) control.addEventListener("change", show);
  show();
})();
