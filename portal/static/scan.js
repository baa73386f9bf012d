// Reading barcodes: what the hand scanner types or the camera sees goes into the same field and is sent one after the other,
// while the page stays and the field is free for the next reading. Without script the field is a plain form.
"use strict";
(() => {
  const QUIET_MS = 1000;
  // the same code counts again only after it was out of sight this long
  const IDLE_MS = 120_000;
  // without a reading the camera ends by itself: battery, and nobody is filmed by accident
  const WIDEST = 1600;
  const NATIVE = ["code_128", "code_39", "code_93", "ean_13", "ean_8", "upc_a", "upc_e", "qr_code", "data_matrix"];
  const REFUSED = {
    NotAllowedError: "Der Zugriff auf die Kamera ist nicht erlaubt. Bitte erlauben Sie ihn in den Einstellungen des Browsers für diese Seite, oder geben Sie die Nummer ein.",
    NotFoundError: "Dieses Gerät hat keine Kamera. Bitte nehmen Sie den Handscanner, oder geben Sie die Nummer ein.",
    NotReadableError: "Die Kamera wird gerade von einem anderen Programm benutzt. Bitte schließen Sie es und versuchen Sie es noch einmal.",
  };
  const $ = (selector, root = document) => root.querySelector(selector);

  const box = $("[data-camera]");
  const form = box?.closest("form");
  if (!form) return;
  const field = form.elements.code;
  const [video, status] = [$("video", box), $("[role=status]", box)];
  const [starter, stopper, torch] = ["start", "stop", "torch"].map((name) => $(`[data-camera-${name}]`, box));
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let stream = null;
  let reader = null;
  let sound = null;
  let round = 0;
  // changes with every start and stop, so that nothing late of an earlier one goes on
  let lit = false;
  let [candidate, sent, lastSeen, lastRead] = ["", "", 0, 0];

  function say(text, tone = "info") {
    status.textContent = text;
    status.className = `camera-said note-box ${tone}`;
    status.hidden = !text;
  }

  // --- who reads: the browser itself when it knows all our codes, else the library in its own worker
  async function nativeReader() {
    const known = await globalThis.BarcodeDetector?.getSupportedFormats?.().catch(() => []) ?? [];
    if (!NATIVE.every((format) => known.includes(format))) return null;
    const detector = new BarcodeDetector({ formats: NATIVE });
    return async () => (await detector.detect(canvas)).map(({ rawValue, boundingBox: b }) => (
      { text: rawValue, x: b.x + b.width / 2, y: b.y + b.height / 2 }));
  }

  function libraryReader() {
    const worker = new Worker(box.dataset.worker);
    let waiting = null;
    const ask = (message, transfer = []) => new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      worker.postMessage(message, transfer);
    });
    worker.addEventListener("message", ({ data }) => (data.fault ? waiting?.reject(new Error(data.fault)) : waiting?.resolve(data)));
    worker.addEventListener("error", (event) => { event.preventDefault(); waiting?.reject(new Error("worker")); });
    return ask({ script: box.dataset.script, wasm: box.dataset.wasm }).then(() => async () => {
      const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
      return (await ask({ picture }, [picture.data.buffer])).codes;
    }, (fault) => { worker.terminate(); throw fault; });
  }

  // --- the part of the picture inside the frame that the person sees
  function takePicture() {
    const { videoWidth: width, videoHeight: height, clientWidth, clientHeight } = video;
    if (!width || !clientWidth) return false;
    const scale = Math.max(clientWidth / width, clientHeight / height);
    const [w, h] = [0.9 * clientWidth / scale, 0.6 * clientHeight / scale];
    const shrink = Math.min(1, WIDEST / w);
    [canvas.width, canvas.height] = [Math.round(w * shrink), Math.round(h * shrink)];
    pen.drawImage(video, (width - w) / 2, (height - h) / 2, w, h, 0, 0, canvas.width, canvas.height);
    return true;
  }

  const nextFrame = () => new Promise((resolve) => {
    const late = setTimeout(resolve, 250);
    video.requestVideoFrameCallback?.(() => { clearTimeout(late); resolve(); });
  });

  async function watch(mine) {
    while (mine === round) {
      await nextFrame();
      if (mine !== round || !takePicture()) continue;
      const codes = await reader();
      if (mine !== round) return;
      const middle = ({ x, y }) => Math.hypot(x - canvas.width / 2, y - canvas.height / 2);
      const text = codes.sort((a, b) => middle(a) - middle(b))[0]?.text.trim() ?? "";
      const now = performance.now();
      if (sent && codes.some((code) => code.text.trim() === sent)) lastSeen = now;
      if (sent && now - lastSeen > QUIET_MS) sent = "";
      // read twice alike, or it is no reading: Code 39 has no check digit
      if (text && text === candidate && text !== sent) {
        sent = text;
        if (form.method === "get") {
          signal(true);
          stop();
          field.value = text;
          form.requestSubmit();
          return;
        }
        const booked = await send(text);
        [lastSeen, lastRead] = [performance.now(), performance.now()];
        if (!booked) sent = "";
      } else if (now - lastRead > IDLE_MS) {
        stop("Zwei Minuten ohne Lesung: Die Kamera ist aus.");
      }
      candidate = text;
    }
  }

  // --- a reading
  function signal(ok) {
    navigator.vibrate?.(ok ? 60 : [120, 80, 120]);
    if (!sound) return;
    const [tone, volume] = [sound.createOscillator(), sound.createGain()];
    tone.frequency.value = ok ? 1200 : 240;
    volume.gain.value = 0.15;
    tone.connect(volume).connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + (ok ? 0.09 : 0.35));
  }

  let sending = Promise.resolve();
  const send = (code) => { sending = sending.then(() => book(code)); return sending; };

  async function book(code) {
    say(`${code} …`);
    const body = new URLSearchParams(new FormData(form));
    body.set("code", code);
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      if (new URL(answer.url).pathname !== location.pathname && answer.ok) {
        location.assign(answer.url);
        return true;
      }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok) {
        say(`${code}: ${$("main .keep-lines, .box .keep-lines", fresh)?.textContent ?? "Die Lesung wurde nicht angenommen."}`, "danger");
        signal(false);
        return true;
      }
      renew(fresh);
      const said = $(".flash .note-box", fresh);
      const ok = said?.classList.contains("success") ?? false;
      say(said?.textContent.trim() ?? code, ok ? "success" : "danger");
      signal(ok);
      return true;
    } catch {
      say(`Keine Verbindung: ${code} ist nicht gebucht. Bitte noch einmal lesen.`, "danger");
      signal(false);
      return false;
    }
  }

  // --- the rest of the page follows, the picture stays
  function renew(fresh) {
    $("main > .flash")?.remove();
    for (const place of ["main > .head", "#stand"]) {
      const [old, now] = [$(place), $(place, fresh)];
      if (old && now) old.replaceWith(document.adoptNode(now));
    }
    const next = $("form [data-camera]", fresh)?.closest("form");
    if (!next) { location.reload(); return; }
    for (const name of ["position", "neu"]) form.elements[name].value = next.elements[name].value;
  }

  // --- on and off
  async function start() {
    const mine = ++round;
    starter.disabled = true;
    say("Die Kamera startet …");
    sound ??= globalThis.AudioContext ? new AudioContext() : null;
    try {
      const wanted = { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1080 } };
      const opened = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      if (mine !== round) { for (const track of opened.getTracks()) track.stop(); return; }
      stream = opened;
      video.srcObject = stream;
      box.classList.add("on");
      await video.play();
    } catch (fault) {
      if (mine === round) stop(REFUSED[fault.name] ?? "Die Kamera lässt sich nicht starten. Bitte nehmen Sie den Handscanner, oder geben Sie die Nummer ein.", "danger");
      return;
    }
    try {
      reader ??= await nativeReader() ?? await libraryReader();
    } catch {
      if (mine === round) stop("Das Leseprogramm lässt sich nicht laden. Bitte prüfen Sie die Verbindung und versuchen Sie es noch einmal.", "danger");
      return;
    }
    if (mine !== round) return;
    const track = stream.getVideoTracks()[0];
    track.addEventListener("ended", () => { if (mine === round) stop("Die Kamera wurde getrennt.", "danger"); });
    const able = track.getCapabilities?.() ?? {};
    if (able.focusMode?.includes("continuous")) track.applyConstraints({ advanced: [{ focusMode: "continuous" }] }).catch(() => {});
    torch.hidden = !able.torch;
    [candidate, sent, lastRead] = ["", "", performance.now()];
    document.activeElement?.blur();
    say("Halten Sie den Strichcode in den Rahmen.");
    box.dataset.camera = "on";
    watch(mine).catch(() => { if (mine === round) stop("Das Lesen ist abgebrochen. Bitte starten Sie die Kamera noch einmal.", "danger"); });
  }

  function stop(text = "", tone = "info") {
    round += 1;
    for (const track of stream?.getTracks() ?? []) track.stop();
    [stream, video.srcObject, lit] = [null, null, false];
    torch.setAttribute("aria-pressed", "false");
    torch.hidden = true;
    box.classList.remove("on");
    box.dataset.camera = "off";
    starter.disabled = false;
    say(text, tone);
  }

  if (form.method === "post") {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const code = field.value.trim();
      field.value = "";
      field.focus();
      if (code) send(code);
    });
  }

  if (!navigator.mediaDevices?.getUserMedia) return;
  starter.addEventListener("click", start);
  stopper.addEventListener("click", () => { stop(); starter.focus(); });
  torch.addEventListener("click", async () => {
    try {
      await stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: !lit }] });
      lit = !lit;
      torch.setAttribute("aria-pressed", String(lit));
    } catch {
      say("Das Licht lässt sich nicht schalten.", "warning");
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && starter.disabled) stop("Die Kamera ist aus, weil die Seite im Hintergrund war.");
  });
  window.addEventListener("pagehide", () => stop());

  async function offer() {
    const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    starter.hidden = !devices.some((device) => device.kind === "videoinput");
  }
  navigator.mediaDevices.addEventListener?.("devicechange", offer);
  offer();
})();
