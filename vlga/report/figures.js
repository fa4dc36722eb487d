// Draws figures with Plotly in the page's own font, text colour and background, light or dark.
"use strict";

const vlgaFigures = (() => {
  // What figures.py draws with, as it is on a light page, and as it is on a dark one.
  const ON_DARK = {
    "#0072b2": "#4aa3e0",
    "#d55e00": "#f0803c",
    "#009e73": "#2fc296",
    "#c0679b": "#df93bf",
    "#b87a00": "#e3b04b",
    "#3d95cc": "#9ad1f2",
    "#333333": "#e6e6e6",
    "#8f8f8f": "#8a8a8a",
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function recoloured(key, value) {
    const found = typeof value === "string" && /^(#[0-9a-f]{6})([0-9a-f]{2})?$/.exec(value);
    return found && found[1] in ON_DARK ? ON_DARK[found[1]] + (found[2] ?? "") : value;
  }

  function template(element) {
    const {color, fontFamily} = getComputedStyle(element);
    const background = getComputedStyle(document.body).backgroundColor;
    const faint = (share) => color.replace("rgb(", "rgba(").replace(")", `, ${share})`);
    const axis = {gridcolor: faint(0.12), linecolor: faint(0.5), zerolinecolor: faint(0.5)};
    return {
      layout: {
        font: {color, family: fontFamily},
        paper_bgcolor: background,
        plot_bgcolor: background,
        xaxis: axis,
        yaxis: axis,
        hoverlabel: {bgcolor: background, bordercolor: faint(0.5), font: {color}},
        modebar: {bgcolor: "rgba(0,0,0,0)", color: faint(0.5), activecolor: color},
      },
    };
  }

  // Draws a figure, {data, layout}, into an element, in which there may be an earlier one. The
  // element's label is read out, and Plotly's buttons; the marks and words of the drawing are not.
  async function draw(element, figure) {
    element.vlgaFigure = figure;
    // A copy, since Plotly writes into what it draws.
    const copy = JSON.parse(JSON.stringify(figure), dark.matches ? recoloured : undefined);
    copy.layout.template = template(element);
    copy.layout.uirevision = "kept"; // what a person zoomed or hid stays so
    // A finger that moves over a figure scrolls the page.
    if (matchMedia("(pointer: coarse)").matches) copy.layout.dragmode = false;
    await Plotly.react(element, copy.data, copy.layout, {
      responsive: true,
      displaylogo: false,
      showSendToCloud: false,
      modeBarButtons: [["toImage", "resetScale2d"]],
      toImageButtonOptions: {format: "png", scale: 2},
    });
    for (const svg of element.querySelectorAll(".main-svg")) svg.setAttribute("aria-hidden", "true");
  }

  // Draws what elements of class "plot" hold as JSON.
  function drawAll() {
    const elements = [...document.querySelectorAll(".plot:has(> script)")];
    return Promise.all(
      elements.map((element) => {
        const script = element.querySelector("script");
        script.remove();
        return draw(element, JSON.parse(script.textContent));
      }),
    );
  }

  dark.addEventListener("change", () => {
    for (const element of document.querySelectorAll(".js-plotly-plot")) {
      if (element.vlgaFigure) draw(element, element.vlgaFigure);
    }
  });

  return {draw, drawAll};
})();
