// Charts: each is asked for when it comes into view. Axes, range and smoothing are in the address and hold for all of them;
// a narrower range is asked for anew, so that it has more of its own points.
"use strict";
(() => {
  const HEIGHT = 220, MOST_ROWS = 200, MOST_READ = 8, MOST_CHANGES = 8, SHAPES_APART = 80;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const charts = [], form = document.getElementById("axis"), section = document.getElementById("charts");
  let pointed = null;

  const state = () => new URLSearchParams(location.search);
  const count = (n) => n.toLocaleString("en");
  const number = (v) => v === null ? "not finite" : String(Number(v.toPrecision(6)));
  const part = (chart, name) => chart.figure.querySelector(name);
  const colour = (name) => getComputedStyle(document.querySelector(name)).color;

  function span(seconds) {
    const s = Math.round(seconds);
    if (Math.abs(seconds) < 60) return `${Number(seconds.toPrecision(3))} s`;
    if (s < 3600) return `${Math.floor(s / 60)}m${String(s % 60).padStart(2, "0")}s`;
    return `${Math.floor(s / 3600)}h${String(Math.floor(s % 3600 / 60)).padStart(2, "0")}m`;
  }
  const plainly = (x) => String(Number(x.toPrecision(6)));
  // A range that is narrow beside the steps in it has no room for marks along the axis: they are so large that numbers of
  // JavaScript lie further apart than the marks, and the axis would look for the next one for ever.
  const wide = (u, low, high) => {
    if (low === null) return [null, null];
    const least = Math.max(Math.abs(low), Math.abs(high)) * 1e-12;
    return high - low > least ? [low, high] : uPlot.rangeNum(low - least, high + least, 0.1, true);
  };
  const along = (chart, x) => chart.data.by === "time" ? span(x) : chart.data.by === "epoch" ? `epoch ${plainly(x)}` : `step ${count(Math.round(x))}`;
  const metric = (chart) => new URL(chart.figure.dataset.source, location.href).searchParams.get("metric");
  const isLog = (chart) => (state().get("y") === "log") !== state().getAll("but").includes(metric(chart));

  function address(chart, kind) {
    const url = new URL(chart.figure.dataset.source, location.href), now = state();
    url.pathname = url.pathname.replace(/chart\.json$/, `chart.${kind}`);
    for (const name of ["by", "from", "to", "smooth"]) if (now.get(name)) url.searchParams.set(name, now.get(name));
    if (kind === "svg" && isLog(chart)) url.searchParams.set("y", "log");
    return url;
  }

  async function load(chart) {
    const asked = ++chart.asked, said = part(chart, ".drawn");
    for (const kind of ["svg", "csv"]) part(chart, `.${kind}`).href = address(chart, kind);
    chart.figure.classList.add("waiting");
    try {
      const answer = await fetch(address(chart, "json"));
      if (!answer.ok) throw new Error(answer.status === 503 ? "the database does not answer" : `the answer is ${answer.status}`);
      const data = await answer.json();
      if (asked !== chart.asked) return;
      chart.data = data;
      draw(chart);
    } catch (error) {
      if (asked === chart.asked) said.textContent = `not drawn: ${error.message}`;
    } finally {
      if (asked === chart.asked) chart.figure.classList.remove("waiting");
    }
  }

  function told(chart) {
    const data = chart.data, drawn = count(data.drawn), left = data.without_place;
    if (!data.total) return "no points in this range";
    const low = isLog(chart) ? data.series.reduce((sum, s) => sum + s.y.filter((y) => y !== null && y <= 0).length, 0) : 0;
    return [
      data.means && `${data.means}; ${count(data.total)} points`,
      !data.means && (data.drawn < data.total ? `${drawn} of ${count(data.total)} points` : `${drawn} point${data.drawn === 1 ? "" : "s"}`),
      data.smoothed && `smoothed over ${data.smoothed === "all" ? "all points" : "those drawn"}`,
      data.not_finite && `not finite at ${count(data.not_finite)}`,
      left && (data.by === "epoch" ? `${count(left)} without an epoch` : "step 0 has no place here"),
      low && `${data.drawn < data.total ? "at least " : ""}${count(low)} value${low === 1 ? "" : "s"} ≤ 0 with no place here`,
    ].filter(Boolean).join(", ");
  }

  // On a logarithmic axis what is not above 0 is a gap, and a mark each.
  function tables(chart) {
    const placed = (ys) => isLog(chart) ? ys.map((y) => y > 0 ? y : null) : ys;
    const joined = chart.data.series.map((s) => s.smooth ? [s.x, placed(s.y), placed(s.smooth)] : [s.x, placed(s.y)]);
    const edge = (s, sign) => placed(s.y.map((y, i) => s.spread[i] === null ? null : y + sign * s.spread[i]));
    for (const s of chart.data.series) if (s.spread) joined.push([s.x, edge(s, 1), edge(s, -1)]); // behind all lines
    return joined.length ? uPlot.join(joined) : [[]];
  }

  // Where the table has a series: its line, with the smoothed one; the edges of its band; and the single runs of its group.
  function places(chart, i, each, alone = false) {
    const all = chart.data.series, s = all[i], own = each === 2 ? [2 * i + 1, 2 * i + 2] : [i + 1];
    if (alone || !s.spread) return own;
    const band = all.length * each + 1 + 2 * all.slice(0, i).filter((other) => other.spread).length;
    return [...own, band, band + 1, ...all.flatMap((other, k) => isFaint(other) && other.group === s.group ? places(chart, k, each, true) : [])];
  }
  const isCrowd = (chart) => chart.data.series.length > MOST_READ && !chart.data.means; // the nearest line stands out, and is said first
  const isFaint = (s) => s.group && !s.runs;

  function draw(chart) {
    const host = part(chart, ".plot"), data = tables(chart), log = isLog(chart), share = Boolean(chart.data.smoothed);
    const shape = JSON.stringify([chart.data.by, share, log, chart.data.series.map((s) => [s.run, s.dataset, s.label])]);
    chart.at = null;
    part(chart, ".numbers").open = false;
    part(chart, ".drawn").textContent = told(chart);
    part(chart, ".log").setAttribute("aria-pressed", String(log));
    if (chart.plot && chart.shape === shape) return chart.plot.setData(data);
    chart.plot?.destroy();
    chart.shape = shape;
    const lines = chart.data.series.flatMap((s) => {
      const dash = s.dash?.split(" ").map(Number);
      const line = isFaint(s) ? {label: s.label, stroke: s.colour + "90", width: 0.75, dash, points: {show: false}}
        : {label: s.label, stroke: s.colour, width: s.runs ? 2 : 1.5, dash, points: {size: 5}};
      return share ? [{...line, stroke: s.colour + "50", width: 1, points: {show: false}}, line] : [line];
    });
    const bands = [];
    chart.data.series.forEach((s, i) => {
      if (!s.spread) return;
      const [upper, lower] = places(chart, i, share ? 2 : 1).slice(share ? 2 : 1);
      for (const label of ["+ sd", "- sd"]) lines.push({label, stroke: "transparent", points: {show: false}});
      bands.push({series: [upper, lower], fill: s.colour + "30"});
    });
    chart.each = share ? 2 : 1;
    const axis = {stroke: () => colour(".chart .drawn"), grid: {stroke: () => colour(".chart .grid"), width: 1}, ticks: {show: false}};
    const by = chart.data.by;
    chart.plot = new uPlot({
      width: host.clientWidth || 300, height: HEIGHT, legend: {show: false},
      scales: {x: {time: false, ...(by === "log" ? {distr: 3} : {range: wide})}, y: {distr: log ? 3 : 1}},
      axes: [
        {...axis, size: 32, values: by === "time" ? (u, ticks) => ticks.map((t) => t === null ? "" : span(t)) : (u, ticks) => ticks.map((t) => t === null ? "" : short(t))},
        {...axis, size: 58, values: (u, ticks) => ticks.map((t) => t === null ? "" : tick(t))},
      ],
      series: [{}, ...lines], bands,
      focus: {alpha: 0.2},
      cursor: {
        sync: {key: "runs", setSeries: false}, drag: {x: true, y: false, setScale: false},
        dataIdx: nearest, focus: {prox: isCrowd(chart) ? 16 : -1}, bind: {dblclick: () => () => go({from: null, to: null})},
      },
      hooks: {setSelect: [(u) => { if (pointed === chart) zoom(chart, u); }], setCursor: [(u) => read(chart, u)], setSeries: [(u, i) => { chart.near = i; }], draw: [(u) => mark(chart, u)]},
    }, data, host);
    legend(chart, chart.each);
  }

  // At the values: uPlot's own writing has three digits after the point, and a learning rate none at all then.
  const tick = (t) => t !== 0 && Math.abs(t) < 1e-3 ? Number(t.toPrecision(3)).toExponential() : t.toLocaleString("en", {maximumFractionDigits: 6});

  const short = (t) => Math.abs(t) >= 1e6 ? `${Number((t / 1e6).toPrecision(4))}M` : Math.abs(t) >= 1e4 ? `${Number((t / 1e3).toPrecision(4))}k` : String(t);

  // Series of one chart have points at places of their own: each tells the nearest of them.
  function nearest(u, series, index) {
    const ys = u.data[series];
    if (!series || ys[index] !== undefined) return index;
    for (let off = 1; off < ys.length; off++) {
      if (ys[index - off] !== undefined) return index - off;
      if (ys[index + off] !== undefined) return index + off;
    }
    return index;
  }

  function read(chart, u) {
    const index = u.cursor.idx, out = part(chart, ".reading");
    if (index === null || index === undefined) { out.textContent = ""; return; }
    chart.at = index;
    const each = chart.each, found = [];
    chart.data.series.forEach((s, i) => {
      const place = i * each + 1, at = nearest(u, place, index), y = u.data[place][at];
      if (u.series[place].show && y !== undefined && !isFaint(s)) found[isCrowd(chart) && chart.near >= place && chart.near < place + each ? "unshift" : "push"](`${s.group || s.label} ${number(y)}${beside(s, u.data[0][at])}`);
    });
    const more = found.length - MOST_READ;
    out.textContent = `${along(chart, u.data[0][index])}: ${found.slice(0, MOST_READ).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  }

  // Of a mean: the standard deviation, and of how many runs.
  function beside(s, x) {
    const i = s.runs ? s.x.indexOf(x) : -1;
    return i < 0 ? "" : `${s.spread[i] === null ? "" : ` ± ${Number(s.spread[i].toPrecision(2))}`} (n ${s.runs[i]})`;
  }

  function mark(chart, u) {
    const {ctx, bbox} = u, size = 3 * devicePixelRatio, y = bbox.top + bbox.height - size - 1;
    ctx.save();
    ctx.lineWidth = 1.5 * devicePixelRatio;
    chart.data.series.forEach((s, i) => {
      if (!u.series[places(chart, i, chart.each)[0]].show) return;
      ctx.strokeStyle = ctx.fillStyle = s.colour;
      shapes(s, u, i);
      numbersOfRuns(s, u);
      const low = isLog(chart) ? s.x.filter((x, i) => s.y[i] !== null && s.y[i] <= 0) : [];
      for (const place of [...s.marks.map((m) => m.x), ...low]) {
        const x = u.valToPos(place, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.beginPath();
        ctx.moveTo(x - size, y - size); ctx.lineTo(x + size, y + size);
        ctx.moveTo(x - size, y + size); ctx.lineTo(x + size, y - size);
        ctx.stroke();
      }
    });
    ctx.restore();
  }

  // Runs of one colour and one dash are told apart by a shape that stands on the line now and then.
  function shapes(s, u, i) {
    if (!s.marker) return;
    const shape = new Path2D(s.marker), {ctx, bbox} = u;
    let least = bbox.left + (i * 29 % SHAPES_APART) * devicePixelRatio;
    s.x.forEach((value, k) => {
      const x = u.valToPos(value, "x", true), y = s.y[k] === null ? NaN : u.valToPos(s.y[k], "y", true);
      if (!(x >= least && x <= bbox.left + bbox.width && y >= bbox.top && y <= bbox.top + bbox.height)) return;
      least = x + SHAPES_APART * devicePixelRatio;
      ctx.save();
      ctx.translate(x, y);
      ctx.scale(devicePixelRatio, devicePixelRatio);
      ctx.lineWidth = 1.5;
      ctx.stroke(shape);
      ctx.fill(shape);
      ctx.restore();
    });
  }

  // Of how many runs a mean is, where that changes: a line that jumps there says nothing of the runs.
  function numbersOfRuns(s, u) {
    const changes = (s.runs ?? []).flatMap((n, i) => i && n !== s.runs[i - 1] ? [i] : []);
    if (!changes.length || changes.length > MOST_CHANGES) return;
    u.ctx.font = `600 ${11 * devicePixelRatio}px system-ui, sans-serif`;
    u.ctx.strokeStyle = getComputedStyle(document.documentElement).backgroundColor;
    u.ctx.lineWidth = 4 * devicePixelRatio;
    for (const i of changes) {
      const x = u.valToPos(s.x[i], "x", true), y = u.valToPos(s.y[i], "y", true);
      if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
      for (const write of ["strokeText", "fillText"]) u.ctx[write](`n ${s.runs[i]}`, x, y + 18 * devicePixelRatio);
    }
  }

  function sample(s) {
    const make = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const svg = make("svg", {width: 26, height: 12, "aria-hidden": "true"});
    svg.append(make("line", {x2: 26, y1: 6, y2: 6, stroke: s.colour, "stroke-width": 2, "stroke-dasharray": s.dash ?? "none"}));
    if (s.marker) svg.append(make("path", {d: s.marker, transform: "translate(13 6)", stroke: s.colour, fill: s.colour}));
    return svg;
  }

  function legend(chart, each) {
    const list = part(chart, ".legend");
    list.replaceChildren(...chart.data.series.flatMap((s, i) => {
      if (isFaint(s)) return [];
      const item = document.createElement("li"), button = document.createElement("button"), own = places(chart, i, each);
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.append(sample(s), s.label);
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        for (const place of own) chart.plot.setSeries(place, {show: shown});
      });
      button.addEventListener("pointerenter", () => chart.plot.setSeries(own[each - 1], {focus: true}));
      button.addEventListener("pointerleave", () => chart.plot.setSeries(null, {focus: false}));
      item.append(button);
      return [item];
    }));
  }

  // The range is told in steps on every axis, so that it means the same in all charts.
  function zoom(chart, u) {
    if (u.select.width < 4) return;
    const low = u.posToVal(u.select.left, "x"), high = u.posToVal(u.select.left + u.select.width, "x");
    u.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
    narrow(chart, low, high);
  }

  function narrow(chart, low, high) {
    let from = Infinity, to = -Infinity;
    if (chart.data.by === "time" || chart.data.by === "epoch") {
      for (const s of chart.data.series) s.x.forEach((x, i) => {
        if (x >= low && x <= high) { from = Math.min(from, s.steps[i]); to = Math.max(to, s.steps[i]); }
      });
    } else { from = Math.max(0, Math.ceil(low)); to = Math.floor(high); }
    if (from < to) go({from, to});
  }

  function go(changes) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) {
      url.searchParams.delete(name);
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== null && !["", "step", "0", "linear"].includes(each)) url.searchParams.append(name, each);
      }
    }
    if (url.href === location.href) return;
    history.pushState(null, "", url);
    follow();
  }

  function follow() {
    const now = state();
    form.elements.by.value = now.get("by") || "step";
    form.elements.smooth.value = now.get("smooth") || "0";
    form.elements.y.value = now.get("y") || "linear";
    document.getElementById("whole").hidden = !now.get("from") && !now.get("to");
    document.getElementById("range").textContent = now.get("from") || now.get("to") ? `steps ${now.get("from") ?? 0} to ${now.get("to") ?? "the end"}` : "";
    for (const chart of charts) if (chart.seen) load(chart);
  }

  function numbers(chart) {
    const data = tables(chart), body = part(chart, "tbody"), head = part(chart, "thead tr");
    const share = chart.each, every = Math.max(1, Math.ceil(data[0].length / MOST_ROWS));
    const cell = (name, text) => Object.assign(document.createElement(name), {textContent: text});
    head.replaceChildren(...[{time: "since the start", epoch: "epoch"}[chart.data.by] ?? "step", ...chart.data.series.flatMap((s) => s.runs ? [s.group, `${s.group}, sd`, `${s.group}, n`] : [s.label])].map((t) => cell("th", t)));
    head.querySelectorAll("th").forEach((th) => th.setAttribute("scope", "col"));
    const rows = [];
    for (let i = 0; i < data[0].length; i += every) {
      const row = document.createElement("tr");
      row.append(cell("td", {time: span, epoch: plainly}[chart.data.by]?.(data[0][i]) ?? count(data[0][i])));
      chart.data.series.forEach((s, k) => {
        const y = data[k * share + 1][i], at = s.runs ? s.x.indexOf(data[0][i]) : -1;
        row.append(cell("td", y === undefined ? "" : number(y)));
        if (s.runs) row.append(cell("td", at < 0 || s.spread[at] === null ? "" : number(s.spread[at])), cell("td", at < 0 ? "" : String(s.runs[at])));
      });
      rows.push(row);
    }
    body.replaceChildren(...rows);
    part(chart, ".every").textContent = every > 1 ? `Every ${every}th place; the CSV has all points.` : "";
  }

  function picture(chart) {
    const from = chart.plot.root.querySelector("canvas"), to = document.createElement("canvas"), head = 24 * devicePixelRatio;
    to.width = from.width;
    to.height = from.height + head;
    const ctx = to.getContext("2d");
    ctx.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
    ctx.fillRect(0, 0, to.width, to.height);
    ctx.fillStyle = colour("body");
    ctx.font = `600 ${13 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillText(chart.figure.dataset.title, 8 * devicePixelRatio, 17 * devicePixelRatio);
    ctx.drawImage(from, 0, head);
    to.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${chart.figure.dataset.title.replaceAll("/", "-")}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  function keys(chart, event) {
    const u = chart.plot, most = u ? u.data[0].length - 1 : -1, step = event.shiftKey ? 10 : 1;
    if (most < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = chart.at ?? (event.key === "ArrowLeft" ? most + 1 : -1);
    const to = {ArrowRight: at + step, ArrowLeft: at - step, Home: 0, End: most}[event.key];
    const x = u.data[0][Math.min(Math.max(at, 0), most)];
    if (to !== undefined) {
      const index = Math.min(Math.max(to, 0), most);
      u.setCursor({left: u.valToPos(u.data[0][index], "x"), top: u.over.clientHeight / 2});
      chart.at = index;
    } else if (event.key === "+") {
      const quarter = (u.scales.x.max - u.scales.x.min) / 4;
      narrow(chart, Math.max(x - quarter, u.data[0][0]), Math.min(x + quarter, u.data[0][most]));
    } else if (event.key === "Escape" || event.key === "-") go({from: null, to: null});
    else return;
    event.preventDefault();
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.find((each) => each.figure === entry.target);
      if (entry.isIntersecting && !chart.seen) { chart.seen = true; load(chart); }
    }
  }, {rootMargin: "200px"});
  const sizes = new ResizeObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.find((each) => part(each, ".plot") === entry.target);
      if (chart.plot && entry.contentRect.width && chart.plot.width !== Math.floor(entry.contentRect.width)) {
        chart.plot.setSize({width: Math.floor(entry.contentRect.width), height: HEIGHT});
      }
    }
  });
  function add(figure) {
    const chart = {figure, seen: false, asked: 0};
    charts.push(chart);
    watcher.observe(figure);
    sizes.observe(part(chart, ".plot"));
    figure.addEventListener("pointerenter", () => { pointed = chart; });
    part(chart, ".plot").addEventListener("keydown", (event) => keys(chart, event));
    part(chart, ".numbers").addEventListener("toggle", (event) => { if (event.target.open && chart.data) numbers(chart); });
    part(chart, ".log").addEventListener("click", () => {
      const but = state().getAll("but"), name = metric(chart);
      go({but: but.includes(name) ? but.filter((each) => each !== name) : [...but, name]});
    });
    part(chart, ".png").addEventListener("click", () => { if (chart.plot) picture(chart); });
  }

  // A run that goes on has more points, and now and then another metric: its row, which came with the page, has the address
  // of its chart.
  function refresh() {
    for (const row of document.querySelectorAll("#metrics tr[data-source]")) {
      const {source, title} = row.dataset;
      if (charts.some((chart) => chart.figure.dataset.source === source)) continue;
      const figure = document.getElementById("another").content.firstElementChild.cloneNode(true);
      Object.assign(figure.dataset, {source, title});
      figure.querySelector(".title").textContent = title;
      for (const each of figure.querySelectorAll("[aria-label]")) each.setAttribute("aria-label", title + each.getAttribute("aria-label"));
      figure.querySelector("caption").textContent = title;
      document.querySelector(".charts").append(figure);
      add(figure);
      section.hidden = false;
    }
    if (section.dataset.running) for (const chart of charts) if (chart.seen) load(chart);
  }

  document.querySelectorAll("figure.chart").forEach(add);
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.by.addEventListener("change", (event) => go({by: event.target.value}));
  form.elements.smooth.addEventListener("change", (event) => go({smooth: event.target.value}));
  form.elements.y.addEventListener("change", (event) => go({y: event.target.value, but: []}));
  document.getElementById("whole").addEventListener("click", () => go({from: null, to: null}));
  addEventListener("popstate", follow);
  dark.addEventListener("change", () => charts.forEach((chart) => chart.plot?.redraw(false)));
  document.addEventListener("runstore:refreshed", refresh);
})();
