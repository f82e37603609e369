"use strict";
(async () => {
  const inflated = async (id) => {
    const text = document.getElementById(id).textContent.replaceAll(",", "<").replaceAll(".", "&");
    const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    const bytes = new Uint8Array(Math.floor((text.length * 4) / 5));
    for (let i = 0, at = 0; i < text.length; i += 5) {
      let value = 0;
      for (let j = 0; j < 5; j++) value = value * 85 + (i + j < text.length ? letters.indexOf(text[i + j]) : 84);
      for (let j = 3; j >= 0 && at < bytes.length; j--, at++) bytes[at] = Math.floor(value / 256 ** j) % 256;
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
