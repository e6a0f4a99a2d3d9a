"use strict";
// Draws every figure of the page, in the colours of a light or a dark screen, and for the printer in those of paper.
(() => {
  document.getElementById("unscripted").remove();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const lighter = {
    "#0072B2": "#56B4E9", "#D55E00": "#FF8A3D", "#009E73": "#2FD6A3", "#CC79A7": "#E8A5CB",
    "#E69F00": "#F0E442", "#56B4E9": "#A6D8F5", "#000000": "#F2F2F2",
  };
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(",");
  const pairs = Object.entries(lighter).flatMap(([from, to]) => [[from, to], [`rgba(${rgb(from)},`, `rgba(${rgb(to)},`]]);
  const lightened = (value) => {
    if (typeof value === "string") {
      for (const [from, to] of pairs) if (value.startsWith(from)) return to + value.slice(from.length);
      return value;
    }
    if (Array.isArray(value)) return value.map(lightened);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, lightened(item)]));
  };
  const template = (night) => {
    const ink = night ? "#E6E6E6" : "#1F2328", grid = night ? "#3A3F45" : "#E3E6EA", line = night ? "#7D858E" : "#8A929B";
    const axis = { gridcolor: grid, linecolor: line, tickcolor: line, zerolinecolor: line };
    const paper = night ? "#23272C" : "#FFFFFF";
    return { layout: {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink }, xaxis: axis, yaxis: axis,
      hoverlabel: { bgcolor: paper, bordercolor: line, font: { color: ink } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: line, activecolor: ink },
    } };
  };
  const config = { responsive: true, displaylogo: false, showTips: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  const plots = [...document.querySelectorAll(".plot")].map((place) => {
    const kept = place.querySelector("script");
    const content = JSON.parse(kept.textContent);
    kept.remove();
    if (touch) content.layout.dragmode = false;
    return { place, content, log: false };
  });
  const draw = ({ place, content, log }, night, width) => {
    const drawn = night ? lightened(content) : structuredClone(content);
    drawn.layout.template = template(night);
    if (log) drawn.layout.yaxis = { ...drawn.layout.yaxis, type: "log", range: undefined };
    if (width) drawn.layout.width = width;
    drawn.layout.uirevision = `${content.layout.uirevision} ${log}`;
    return Plotly.react(place, drawn.data, drawn.layout, config);
  };
  const all = (night, width) => { for (const plot of plots) draw(plot, night, width); };
  for (const plot of plots) {
    const button = plot.place.parentElement.querySelector("button.log");
    if (!button) continue;
    button.addEventListener("click", () => {
      plot.log = !plot.log;
      button.setAttribute("aria-pressed", String(plot.log));
      draw(plot, dark.matches);
    });
  }
  all(dark.matches);
  dark.addEventListener("change", () => all(dark.matches));
  addEventListener("beforeprint", () => all(false, 680));
  addEventListener("afterprint", () => all(dark.matches));
  document.addEventListener("toggle", (event) => {
    for (const { place } of plots) if (event.target.contains(place) && event.target.open) Plotly.Plots.resize(place);
  }, true);
})();
