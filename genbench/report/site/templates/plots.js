"use strict";
(() => {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const palette = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "ink"];
  const dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "10px,3px", "2px,6px", "14px,3px,3px,3px,3px,3px"];
  const symbols = ["circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "star", "pentagon"];
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const style = (i) => {
    const colour = palette[i % palette.length];
    const round = Math.floor(i / palette.length);
    return {
      colour: colour === "ink" ? css("--ink") : colour,
      dash: dashes[round % dashes.length],
      symbol: symbols[round % symbols.length],
    };
  };
  // a row looks the same in all plots of the page, and like no other row of a plot that it is in
  const places = (() => {
    const plots = Object.values(data.plots).flatMap(({ curves, pareto }) =>
      [...(curves ?? []).map((q) => q.traces), ...(pareto?.costs ?? []).map((c) => c.points)]);
    const beside = new Map();
    for (const rows of plots) {
      for (const { label } of rows) {
        if (!beside.has(label)) beside.set(label, new Set());
        rows.forEach((other) => beside.get(label).add(other.label));
      }
    }
    const chosen = new Map();
    for (const [label, others] of beside) {
      const taken = new Set([...others].map((other) => chosen.get(other)));
      let place = 0;
      while (taken.has(place)) place++;
      chosen.set(label, place);
    }
    return chosen;
  })();
  const look = (label) => style(places.get(label) ?? 0);
  // Plotly reads a little HTML in its texts; names must show as they are
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const short = (text) => plain(text.length > 28 ? text.slice(0, 27) + "…" : text);
  // a label in lines, so that rows that differ in their last option alone stay apart
  function wrap(text) {
    const lines = [];
    for (const word of text.split(" ")) {
      const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
      if (lines.length && longer.length <= 28) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return [...lines.slice(0, 4), ...(lines.length > 4 ? ["…"] : [])].map(short).join("<br>");
  }

  const narrow = () => innerWidth < 600;
  // a narrow page has the legend above the plot, and room for it; a longer one is scrolled
  function makeRoom(plot, entries) {
    plot.dataset.height ??= plot.style.height;
    plot.style.height = narrow() ? `${380 + 24 * Math.min(entries, 10)}px` : plot.dataset.height;
  }

  function layout(xTitle, yTitle) {
    const axis = { gridcolor: css("--line"), linecolor: css("--line"), zeroline: false, automargin: true };
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: css("--ink"), size: 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: 56, r: 12, t: 12, b: 48 },
      xaxis: { ...axis, title: { text: xTitle } }, yaxis: { ...axis, title: { text: yTitle, standoff: 12 } },
      legend: narrow() ? { orientation: "h", y: 1, yanchor: "bottom", x: 0 } : {},
      hoverlabel: { bgcolor: css("--panel"), bordercolor: css("--line"), font: { color: css("--ink") } },
    };
  }
  const config = { displaylogo: false, responsive: true, displayModeBar: false };

  function faded(colour, alpha) {
    const n = parseInt(colour.slice(1), 16);
    return `rgba(${n >> 16 & 255},${n >> 8 & 255},${n & 255},${alpha})`;
  }

  const controls = (plot) => plot.closest("figure").previousElementSibling;

  const steps = [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8], [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9]];
  // a tick that stands for 20 says "20": within a few decades the library would write "2"
  function logAxis(values) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const ticks = (each) => {
      const all = [];
      for (let k = Math.floor(Math.log10(low)) - 1; k <= Math.log10(high) + 1; k++) {
        all.push(...each.map((s) => Number(`${s}e${k}`)));
      }
      return all;
    };
    const [few, ...more] = steps;
    const order = Math.log10(high / low) > 4 ? [few, ...more] : more;
    const tickvals = order.map(ticks).find((all) => all.filter((v) => low <= v && v <= high).length > 2);
    // where values are so near each other a plain axis is readable, and hardly differs
    return tickvals ? { type: "log", tickmode: "array", tickvals, exponentformat: "power" } : {};
  }

  function drawCurves(plot) {
    const bar = controls(plot);
    const quantity = data.plots[plot.dataset.section].curves[bar.querySelector(".quantity").value];
    const axis = bar.querySelector(".axis").value;
    const most = Number(bar.querySelector(".which").value) || Infinity;
    const traces = quantity.traces.flatMap((t, i) => {
      const { colour, dash } = look(t.label);
      const x = t[axis];
      const visible = i < most ? true : narrow() ? false : "legendonly";
      return [
        { x: [...x, ...[...x].reverse()], y: [...t.high, ...[...t.low].reverse()], type: "scatter",
          visible, mode: "lines", fill: "toself", fillcolor: faded(colour, 0.16), line: { width: 0 },
          hoverinfo: "skip", showlegend: false, legendgroup: t.label },
        { x, y: t.mid, visible, type: "scatter", mode: x.length > 1 ? "lines" : "markers", name: wrap(t.label),
          legendgroup: t.label, line: { color: colour, dash, width: 2 }, marker: { color: colour },
          hovertemplate: `%{y:.4g}<extra>${wrap(t.label)}</extra>` },
      ];
    });
    const shape = layout(axis === "step" ? "steps" : "seconds of training, a seed's share", plain(quantity.name));
    shape.hovermode = "x";
    // values of both signs have no logarithm, so that their axis stays as it is
    const values = quantity.traces.slice(0, most).flatMap((t) => t.mid);
    if (bar.querySelector(".log").checked && quantity.traces.every((t) => t.mid.every((v) => v > 0))) {
      Object.assign(shape.yaxis, logAxis(values));
    }
    makeRoom(plot, Math.min(most, quantity.traces.length));
    plot.setAttribute("aria-label", `Learning curves: ${quantity.name} against ${axis}. Last medians: ` +
      quantity.traces.map((t) => `${t.label} ${t.mid[t.mid.length - 1]}`).join(", "));
    Plotly.react(plot, traces, shape, config);
  }

  const spread = (points, key) => {
    const means = points.map((p) => p[key][0]);
    return Math.min(...means) > 0 && Math.max(...means) / Math.min(...means) > 20;
  };
  const error = (p, key) => p[key][1] === null ? { visible: false } : {
    type: "data", symmetric: false, array: [p[key][2] - p[key][0]], arrayminus: [p[key][0] - p[key][1]],
    thickness: 1.2, width: 0,
  };

  function drawPareto(plot) {
    const about = data.plots[plot.dataset.section].pareto;
    const cost = about.costs[controls(plot).querySelector(".cost").value];
    const front = cost.front.map((label) => cost.points.find((p) => p.label === label));
    const traces = [{
      x: front.map((p) => p.x[0]), y: front.map((p) => p.y[0]), type: "scatter", mode: "lines",
      line: { shape: "hv", color: css("--soft"), width: 1, dash: "dot" }, hoverinfo: "skip", showlegend: false,
    }];
    for (const p of cost.points) {
      const { colour, symbol } = look(p.label);
      traces.push({
        x: [p.x[0]], y: [p.y[0]], type: "scatter", mode: "markers", name: wrap(p.label),
        error_x: { ...error(p, "x"), color: colour }, error_y: { ...error(p, "y"), color: colour },
        marker: { color: colour, size: 10, symbol: symbol + (p.reference ? "-open" : ""), line: { width: p.reference ? 2 : 0 } },
        hovertemplate: `%{x:.4g}, %{y:.4g}<extra>${wrap(p.label)}</extra>`,
      });
    }
    const shape = layout(plain(cost.name), `${plain(about.quality)}, ${about.better} is better`);
    shape.showlegend = true;
    makeRoom(plot, cost.points.length);
    for (const [axis, key] of [[shape.xaxis, "x"], [shape.yaxis, "y"]]) {
      if (spread(cost.points, key)) Object.assign(axis, logAxis(cost.points.map((p) => p[key][0])));
    }
    plot.setAttribute("aria-label", `${about.quality} against ${cost.name}: ` +
      cost.points.map((p) => `${p.label} ${p.y[0]} at ${p.x[0]}`).join(", "));
    Plotly.react(plot, traces, shape, config);
  }

  const named = (each) => ({ name: short(each.name), legendgroup: each.name });

  // words stand down the side, so that long names stay readable on a narrow page
  function strips(figure) {
    return figure.series.map((each, i) => {
      const { colour } = style(i);
      const rows = each.x.flatMap((x, k) => each.dots[k].map(([, v]) => [short(x), v]));
      return { ...named(each), type: "box", orientation: "h", y: rows.map((r) => r[0]), x: rows.map((r) => r[1]),
        boxpoints: "all", jitter: 0.6, pointpos: 0, hoveron: "points", fillcolor: faded(colour, 0.12),
        line: { width: 1, color: colour }, marker: { color: colour, size: 6, opacity: 0.75 } };
    });
  }

  function lines(figure) {
    let measured = -1;
    return figure.series.flatMap((each) => {
      const { colour, dash } = style(each.law ? Math.max(0, measured) : ++measured);
      const line = { x: each.x, y: each.mid, type: "scatter", mode: each.law ? "lines" : "lines+markers", ...named(each),
        line: { color: colour, dash: each.law ? "dash" : dash, width: each.law ? 1.5 : 2 }, marker: { color: colour, size: 4 },
        hovertemplate: `%{x:.4g}, %{y:.4g}<extra>${short(each.name)}</extra>` };
      if (each.law) return [line];
      return [{ x: [...each.x, ...[...each.x].reverse()], y: [...each.high, ...[...each.low].reverse()], type: "scatter", mode: "lines",
        fill: "toself", fillcolor: faded(colour, 0.16), line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: each.name }, line];
    });
  }

  const clouds = (figure) => figure.series.map((each, i) => {
    const { colour, symbol } = style(i);
    const dots = each.dots.flat();
    return { ...named(each), x: dots.map((d) => d[0]), y: dots.map((d) => d[1]), type: "scatter", mode: "markers",
      marker: { color: colour, symbol, size: 7, opacity: 0.8 }, hovertemplate: `%{x:.4g}, %{y:.4g}<extra>${short(each.name)}</extra>` };
  });

  function drawClaim(plot) {
    const figure = data.plots[plot.dataset.section].figure;
    const strip = figure.kind === "strip";
    const traces = { strip: strips, lines, scatter: clouds }[figure.kind](figure);
    const shape = layout(plain(strip ? figure.y : figure.x), plain(strip ? "" : figure.y));
    const [places, values] = strip ? [shape.yaxis, shape.xaxis] : [shape.xaxis, shape.yaxis];
    const drawn = (axis) => traces.flatMap((t) => t[axis]).filter((v) => v > 0);
    if (figure.log.includes("x")) Object.assign(places, logAxis(drawn(strip ? "y" : "x")));
    if (figure.log.includes("y")) Object.assign(values, logAxis(drawn(strip ? "x" : "y")));
    if (strip) {
      const all = figure.series.flatMap((each) => each.x);
      const order = [...new Set(all)];
      Object.assign(places, { categoryorder: "array", categoryarray: order.map(short).reverse(), type: "category" });
      shape.boxmode = order.length < all.length ? "group" : "overlay";
    }
    if (strip && narrow()) values.title = { text: "" };  // the heading above the plot says it
    if (!strip) makeRoom(plot, figure.series.length);
    const across = strip ? "x" : "y";
    shape.shapes = figure.levels.map(([, v]) => ({ type: "line", line: { color: css("--soft"), dash: "dot", width: 1.5 },
      [`${across}0`]: v, [`${across}1`]: v, [`${strip ? "y" : "x"}0`]: 0, [`${strip ? "y" : "x"}1`]: 1, [`${strip ? "y" : "x"}ref`]: "paper" }));
    const log = values.type === "log";
    shape.annotations = figure.levels.map(([name, v]) => ({ text: short(name), showarrow: false, font: { color: css("--soft"), size: 11 },
      ...(strip ? { x: log ? Math.log10(v) : v, y: 0, yref: "paper", yanchor: "bottom", xanchor: "right", textangle: -90 }
        : { y: log ? Math.log10(v) : v, x: 1, xref: "paper", xanchor: "right", yanchor: "bottom" }) }));
    shape.showlegend = figure.series.length > 1;
    Plotly.react(plot, traces, shape, config);
  }

  const decode = (text) => new Uint16Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

  function drawPoints(canvas) {
    const size = canvas.clientWidth;
    const scale = devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(size * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const at = (pairs, i) => [pairs[i] / 65535 * size, size - pairs[i + 1] / 65535 * size];
    if (canvas.dataset.centres) {
      const centres = decode(canvas.dataset.centres);
      pen.strokeStyle = css("--ring");
      for (let i = 0; i < centres.length; i += 2) {
        pen.beginPath();
        pen.arc(...at(centres, i), 5, 0, 2 * Math.PI);
        pen.stroke();
      }
    }
    const points = decode(canvas.dataset.points);
    pen.fillStyle = css("--point");
    pen.globalAlpha = 0.55;
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = at(points, i);
      pen.fillRect(x - 0.8, y - 0.8, 1.6, 1.6);
    }
  }

  // plotly is large, so it is asked for when the first plot comes near
  let plotly;
  const loaded = () => plotly ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: "plotly.min.js", onload: done, onerror: failed });
    document.head.append(script);
  });
  const draw = (thing) => {
    if (thing.matches("canvas")) return drawPoints(thing);
    const kind = thing.matches(".curves") ? drawCurves : thing.matches(".claim") ? drawClaim : drawPareto;
    return loaded().then(() => kind(thing));
  };
  const drawn = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && !drawn.has(entry.target)) {
        drawn.add(entry.target);
        draw(entry.target);
      }
    }
  }, { rootMargin: "300px" });
  const watch = (inside) => inside.querySelectorAll("canvas[data-points], .plot").forEach((thing) => watcher.observe(thing));
  watch(document);
  const redraw = () => drawn.forEach((thing) => thing.isConnected ? draw(thing) : drawn.delete(thing));
  document.querySelectorAll(".bar select, .bar .log").forEach((select) => select.addEventListener("change", () => {
    const plot = select.closest(".bar").nextElementSibling?.querySelector(".plot");
    if (!plot) return;
    drawn.add(plot);
    draw(plot);
  }));
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(redraw, 150); });
  addEventListener("theme", redraw);
  // on paper nothing is scrolled to
  matchMedia("print").addEventListener("change", (print) => {
    if (print.matches) document.querySelectorAll("canvas[data-points], .plot").forEach((thing) => drawn.add(thing));
    redraw();
  });
  globalThis.genbench = { data, watch };
})();
