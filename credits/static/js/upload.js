// Sends a large file in pieces before its form: a lost connection costs one piece. The tus 1.0 protocol.
// Without this script the form sends the file whole. Nothing here is needed to read what the page says.
(() => {
  "use strict";
  const SMALL = 64 * 1024; // bytes: below that the form alone is faster
  const LEAST = 16 * 1024;
  const MOST = 1024 * 1024;
  const QUICK = 1500; // milliseconds that a piece takes: shorter ones make the next piece larger, longer ones smaller
  const SLOW = 6000;
  const LOST = 90000; // milliseconds after which a piece is sent anew

  const box = document.querySelector("[data-upload]");
  const form = box && box.closest("form");
  if (!form || !window.fetch || !window.AbortSignal || !AbortSignal.timeout) return;
  const words = box.dataset;
  const bar = box.querySelector("progress");
  const said = box.querySelector("[role=status]");
  const button = form.querySelector("button[type=submit]");

  class Refused extends Error {}

  const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

  function tell(text, done, whole) {
    box.hidden = false;
    bar.value = whole ? done / whole : 0;
    said.textContent = text.replace("{done}", size(done || 0)).replace("{size}", size(whole || 0));
  }

  function ask(method, address, headers, body) {
    const token = form.querySelector("[name=csrf_token]");
    return fetch(address, {
      method,
      body,
      headers: { "Tus-Resumable": "1.0.0", "X-CSRFToken": token ? token.value : "", ...headers },
      credentials: "same-origin",
      signal: AbortSignal.timeout(LOST),
    });
  }

  async function refusal(answer) {
    if (answer.redirected) return new Refused(words.ended);
    const plain = (answer.headers.get("Content-Type") || "").startsWith("text/plain");
    return new Refused((plain && (await answer.text())) || words.failed);
  }

  // Until the network is back, or a while: longer each time.
  function pause(tries) {
    return new Promise((go) => {
      const timer = setTimeout(done, Math.min(30000, 1000 * 2 ** tries));
      function done() {
        clearTimeout(timer);
        window.removeEventListener("online", done);
        go();
      }
      window.addEventListener("online", done);
    });
  }

  // Asks until there is an answer that is one.
  async function surely(asking, sent, whole) {
    for (let tries = 0; ; tries += 1) {
      let answer = null;
      try {
        answer = await asking();
      } catch {
        // no network, or lost on its way
      }
      if (answer && answer.status < 500 && answer.status !== 429) return answer;
      tell(words.waiting, sent, whole);
      await pause(tries);
    }
  }

  function remembered(name, address) {
    try {
      if (address === undefined) return localStorage.getItem(name);
      if (address) localStorage.setItem(name, address);
      else localStorage.removeItem(name);
    } catch {
      // a browser that keeps nothing begins anew after a reload
    }
    return null;
  }

  // Where the file goes on from: an earlier beginning of it, or a new one.
  async function begun(file, name) {
    const earlier = remembered(name);
    if (earlier) {
      const answer = await surely(() => ask("HEAD", earlier), 0, file.size);
      if (answer.redirected) throw await refusal(answer);
      if (answer.ok && Number(answer.headers.get("Upload-Length")) === file.size) {
        return [earlier, Number(answer.headers.get("Upload-Offset"))];
      }
    }
    const bytes = new TextEncoder().encode(file.name);
    const metadata = `filename ${btoa(String.fromCharCode(...bytes))}`;
    const headers = { "Upload-Length": String(file.size), "Upload-Metadata": metadata };
    const answer = await surely(() => ask("POST", words.upload, headers), 0, file.size);
    if (answer.status !== 201) throw await refusal(answer);
    const address = new URL(answer.headers.get("Location"), window.location.href).href;
    remembered(name, address);
    return [address, 0];
  }

  async function send(file) {
    const name = `upload ${words.upload} ${file.name} ${file.size} ${file.lastModified}`;
    let [address, offset] = await begun(file, name);
    let length = SMALL;
    for (let tries = 0; offset < file.size; ) {
      tell(words.sending, offset, file.size);
      const began = performance.now();
      const piece = file.slice(offset, offset + length);
      const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
      let answer = null;
      try {
        answer = await ask("PATCH", address, headers, piece);
      } catch {
        // how much of it has arrived, is asked below
      }
      if (answer && answer.status === 204) {
        const took = performance.now() - began;
        if (took < QUICK) length = Math.min(length * 2, MOST);
        if (took > SLOW) length = Math.max(length / 2, LEAST);
        offset = Number(answer.headers.get("Upload-Offset"));
        tries = 0;
        continue;
      }
      if (answer && answer.status < 500 && answer.status !== 429 && answer.status !== 409) {
        remembered(name, "");
        throw await refusal(answer);
      }
      length = Math.max(length / 2, LEAST);
      if (!answer || answer.status !== 409) {
        tell(words.waiting, offset, file.size);
        await pause(tries);
        tries += 1;
      }
      const there = await surely(() => ask("HEAD", address), offset, file.size);
      if (!there.ok || there.redirected) {
        remembered(name, "");
        throw await refusal(there);
      }
      offset = Number(there.headers.get("Upload-Offset"));
    }
    tell(words.looking, file.size, file.size);
    remembered(name, "");
    return address.split("/").pop();
  }

  form.addEventListener("submit", async (event) => {
    const input = form.querySelector("input[type=file]");
    const file = input.files[0];
    if (!file || file.size <= SMALL) return;
    event.preventDefault();
    if (file.size > Number(words.largest)) {
      tell(words.tooLarge);
      return;
    }
    button.disabled = true;
    try {
      form.querySelector("[name=upload]").value = await send(file);
      input.disabled = true; // the form goes without it
      form.submit();
    } catch (error) {
      tell(error instanceof Refused ? error.message : words.failed);
      button.disabled = false;
    }
  });

  // Back from the next page by the browser's own button: everything works again.
  window.addEventListener("pageshow", () => {
    button.disabled = false;
    form.querySelector("input[type=file]").disabled = false;
  });
})();
