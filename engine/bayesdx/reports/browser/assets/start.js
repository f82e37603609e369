"use strict";
(async () => {
  const inflated = async (id) => {
    const { textContent: text, dataset } = document.getElementById(id);
    const letters = String.fromCharCode(...Array(127).keys()).slice(33).replace(/["&<]/g, "");
    const bytes = new Uint8Array(Number(dataset.bytes));
    for (let i = 0, at = 0, held = 0, bits = 0; i < text.length; i += 2) {
      held = (held << 13) | (letters.length * letters.indexOf(text[i]) + letters.indexOf(text[i + 1]));
      for (bits += 13; bits >= 8; held &= (1 << bits) - 1) bytes[at++] = held >> (bits -= 8);
    }
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
  };
  try {
    const script = document.createElement("script");
    script.textContent = await inflated("program");
    document.head.append(script);
    start(JSON.parse(await inflated("knowledge")));
  } catch (error) {
    document.getElementById("main").textContent = `This page needs a browser from 2023 or later (${error}).`;
  }
})();
