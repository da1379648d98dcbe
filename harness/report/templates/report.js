"use strict";
// Draws the charts: unpacks plotly.js, gives the figures the page's colours, and applies the type filter.
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const filter = document.getElementById("filter");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const PRINT_WIDTH_PX = 700;
  // with its title and words it fits on a page, A4 or Letter, and so need not be broken over two
  const PRINT_HEIGHT_MAX_PX = 720;
  const NEAR = "500px";
  const names = Object.keys(figures);
  const near = new Set();
  const stale = new Set(names);
  let group = "all";
  let printing = false;

  const plotOf = (name) => document.getElementById("plot-" + name);
  const isShown = (trace) => trace.meta.groups.includes(group);

  // plotly.js travels gzipped and base64-coded: 2 MB of the page instead of 4.8.
  async function unpackPlotly() {
    const letters = atob(document.getElementById("plotly").textContent);
    const packed = new Uint8Array(letters.length);
    for (let at = 0; at < letters.length; at += 1) packed[at] = letters.charCodeAt(at);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    if (!window.Plotly) throw new Error("plotly.js did not start");
  }

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    return printing
      ? { ink: "#000000", soft: "#444444", line: "#cccccc", card: "#ffffff" }
      : { ink: value("--ink"), soft: value("--soft"), line: value("--line"), card: value("--card") };
  }

  function legendHeight(figure) {
    const names = new Set(figure.traces.filter((trace) => isShown(trace) && trace.showlegend !== false).map((trace) => trace.name));
    return 60 + 20 * Math.ceil(names.size / 2);
  }

  function layoutOf(figure, width) {
    const { ink, soft, line, card } = colours();
    const layout = structuredClone(figure.layout);
    const narrow = width < 560;
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
      const axis = layout[name];
      Object.assign(axis, { gridcolor: line, linecolor: line, zerolinecolor: line, automargin: true });
      axis.tickfont = { color: soft };
      if (axis.title) axis.title = { ...axis.title, font: { color: soft, size: 12 }, standoff: 8 };
    }
    for (const note of layout.annotations || []) note.font = { ...note.font, color: ink };
    return {
      ...layout,
      height: Math.min(figure.height + (narrow ? legendHeight(figure) : 0), printing ? PRINT_HEIGHT_MAX_PX : Infinity),
      width: printing ? PRINT_WIDTH_PX : undefined,
      autosize: !printing,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 12 },
      margin: { l: narrow ? 42 : 56, r: narrow ? 10 : 24, t: 66, b: 44, ...(narrow ? { t: 40, b: legendHeight(figure) } : layout.margin) },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: soft, activecolor: ink },
      // above the chart, or below it where it would be many lines long and meet the buttons
      legend: narrow
        ? { orientation: "h", x: 0, xanchor: "left", yref: "container", y: 0, yanchor: "bottom" }
        : { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", ...layout.legend },
      hovermode: "closest",
      hoverlabel: { bgcolor: card, bordercolor: line, font: { color: ink }, align: "left", namelength: -1 },
      // on a touch screen a drag scrolls the page; a pinch or the buttons zoom
      dragmode: touch ? false : "zoom",
      // what the reader zoomed to stays when a live view brings new figures
      uirevision: "kept",
    };
  }

  // Named one by one: plotly's own list has a button that sends the chart to a server.
  const BUTTONS = [["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"], ["toImage"]];
  const CONFIG = { responsive: true, displaylogo: false, displayModeBar: true, modeBarButtons: BUTTONS, plotlyServerURL: "" };

  function draw(name) {
    const plot = plotOf(name);
    const figure = figures[name];
    stale.delete(name);
    document.documentElement.dataset.drawn = names.length - stale.size;
    return Plotly.react(plot, figure.traces.filter(isShown), layoutOf(figure, plot.clientWidth), CONFIG);
  }

  function drawNear() {
    names.filter((name) => near.has(name) && stale.has(name)).forEach(draw);
  }

  function drawAgain() {
    names.forEach((name) => stale.add(name));
    drawNear();
  }

  // Charts far below are drawn when they come near: the page opens as fast for 5,000 files as for 200.
  function watchWhatIsNear() {
    const observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          const name = entry.target.id.replace("plot-", "");
          if (entry.isIntersecting) near.add(name);
          else near.delete(name);
        }
        drawNear();
      },
      { rootMargin: NEAR },
    );
    names.forEach((name) => observer.observe(plotOf(name)));
  }

  function applyFilter() {
    group = filter.querySelector("input:checked").value;
    for (const row of document.querySelectorAll("tr[data-type]")) {
      row.hidden = group !== "all" && row.dataset.type !== group;
    }
    drawAgain();
  }

  function print(starts) {
    printing = starts;
    for (const details of document.querySelectorAll("details")) details.open = starts;
    if (starts) names.forEach(draw);
    else drawAgain();
  }

  // The live view: new figures every few seconds, for as long as somebody looks and the run goes on.
  const liveEveryMs = Number(document.body.dataset.live || 0);

  function showNews(news) {
    document.getElementById("phase").textContent = news.phase;
    document.querySelectorAll(".tiles li").forEach((tile, at) => {
      const [, value, bad] = news.tiles[at];
      tile.querySelector("b").textContent = value;
      tile.classList.toggle("bad", bad);
    });
    for (const name of names.filter((one) => news.figures[one])) {
      figures[name] = news.figures[name];
      plotOf(name).closest("figure").querySelector(".summary").textContent = figures[name].summary;
    }
    document.documentElement.dataset.updates = Number(document.documentElement.dataset.updates || 0) + 1;
    drawAgain();
  }

  async function follow() {
    try {
      if (document.visibilityState === "visible") {
        const answer = await fetch("live.json", { cache: "no-store" });
        if (!answer.ok) throw new Error(answer.statusText);
        const news = await answer.json();
        if (!names.length && Object.keys(news.figures).length) return location.reload();
        showNews(news);
      }
    } catch (error) {
      document.getElementById("phase").textContent = "The run has ended.";
      document.getElementById("live-note").textContent = "What is shown is the last that was seen. The verdict is in report.html in the run's directory.";
      return undefined;
    }
    return setTimeout(follow, liveEveryMs);
  }

  async function start() {
    if (liveEveryMs) setTimeout(follow, liveEveryMs);
    if (!names.length) return;
    await unpackPlotly();
    if (filter) {
      filter.hidden = false;
      filter.addEventListener("change", applyFilter);
    }
    dark.addEventListener("change", drawAgain);
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
    watchWhatIsNear();
  }

  start().catch((error) => {
    const note = document.getElementById("no-charts");
    note.hidden = false;
    note.textContent = "The charts could not be drawn (" + error.message + "); the words and tables are complete.";
  });
})();
