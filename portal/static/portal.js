// Comforts on top of pages that work without any script: keys, selection, dialogs, dates that count.
"use strict";
(() => {
  const KEYS_OFF = "drehkreuz-keys-off";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  // --- menus close when one goes elsewhere
  document.addEventListener("click", (event) => {
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // --- lists with a cursor and a selection
  const boxes = () => all("input[data-pick]");
  const rows = () => all("tr[data-row]");
  let cursor = -1;

  function showSelection() {
    const picked = boxes().filter((box) => box.checked);
    for (const box of boxes()) box.closest("tr")?.setAttribute("aria-selected", String(box.checked));
    for (const place of all("[data-picked-count]")) place.textContent = String(picked.length);
    const every = $("input[data-pick-all]");
    if (every) {
      every.checked = picked.length > 0 && picked.length === boxes().length;
      every.indeterminate = picked.length > 0 && picked.length < boxes().length;
    }
  }

  function moveTo(index) {
    const list = rows();
    if (!list.length) return;
    cursor = Math.max(0, Math.min(index, list.length - 1));
    list.forEach((row, i) => row.classList.toggle("current", i === cursor));
    list[cursor].scrollIntoView({ block: "nearest" });
    $("input[data-pick], a", list[cursor])?.focus({ preventScroll: true });
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("input[data-pick-all]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.matches("input[data-pick], input[data-pick-all]")) showSelection();
    if (event.target.id === "keys-on") localStorage.setItem(KEYS_OFF, event.target.checked ? "" : "1");
  });

  // --- shift-click picks a range
  let last = null;
  document.addEventListener("click", (event) => {
    if (!event.target.matches("input[data-pick]")) return;
    const list = boxes();
    if (event.shiftKey && last && list.includes(last)) {
      const [from, to] = [list.indexOf(last), list.indexOf(event.target)].sort((a, b) => a - b);
      for (const box of list.slice(from, to + 1)) box.checked = event.target.checked;
      showSelection();
    }
    last = event.target;
  });

  // --- what is typed can be looked at
  for (const form of all("form")) {
    const secrets = all("input[type=password]", form);
    if (!secrets.length) continue;
    const box = document.createElement("label");
    box.className = "form-check mb-3";
    box.innerHTML = '<input class="form-check-input" type="checkbox" data-show-secrets><span class="form-check-label">Kennwort anzeigen</span>';
    secrets[secrets.length - 1].closest(".mb-3").after(box);
    box.firstChild.addEventListener("change", (event) => {
      for (const secret of secrets) secret.type = event.target.checked ? "text" : "password";
    });
    form.addEventListener("submit", () => { for (const secret of secrets) secret.type = "password"; });
  }

  // --- how good a new password is, as the server will judge it
  for (const form of all("form[data-strength]")) {
    const input = $("input[autocomplete=new-password]", form);
    const meter = document.createElement("meter");
    const said = document.createElement("span");
    Object.assign(meter, { min: 0, max: 4, low: 2, high: 3, optimum: 4, value: 0, hidden: true });
    meter.setAttribute("aria-hidden", "true");
    meter.className = "strength";
    said.className = "form-hint";
    said.setAttribute("role", "status");
    input.closest(".mb-3").append(meter, said);
    let waiting = 0;
    let asked = 0;
    const show = (level, text) => {
      meter.hidden = !text;
      meter.value = level;
      said.textContent = text;
    };
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      const turn = ++asked;
      if (!input.value) return show(0, "");
      waiting = setTimeout(async () => {
        try {
          const answer = await fetch(form.dataset.strength, { method: "POST", body: new URLSearchParams({ password: input.value, code: $("input[name=code]", form)?.value ?? "" }) });
          const { level, text } = answer.ok ? await answer.json() : { level: 0, text: "" };
          if (turn === asked) show(level, text);
        } catch {
          show(0, "");
        }
      }, 400);
    });
  }

  // --- two versions of a field: what is chosen stands in the field, what is typed there is one's own again
  const fields = (form, name) => { const found = form.elements.namedItem(name); return found instanceof RadioNodeList ? Array.from(found) : found ? [found] : []; };
  document.addEventListener("change", (event) => {
    const choice = event.target;
    if (!choice.matches("input[data-fill-for]")) return;
    for (const field of fields(choice.form, choice.dataset.fillFor)) {
      if (field.type === "checkbox") field.checked = choice.dataset.fill.split("|").includes(field.value);
      else field.value = choice.dataset.fill;
    }
  });
  document.addEventListener("input", (event) => {
    if (!event.target.name || event.target.matches("[data-fill-for]")) return;
    const own = $(`input[data-fill-for="${CSS.escape(event.target.name)}"][value=mine]`);
    if (own) own.checked = true;
  });

  // --- a second click on the same button sends nothing twice
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.method === "post" && !form.hasAttribute("hx-post")) {
      form.dataset.sent = "1";
      setTimeout(() => { for (const button of all("button", form)) button.disabled = true; }, 0);
    }
  });
  window.addEventListener("pageshow", () => {
    for (const form of all("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of all("button", form)) button.disabled = false;
    }
    showSelection();
  });

  // --- the code of a mailed link stands behind the #, which no server and no referrer ever sees: it is sent once, in a form
  function followLink() {
    const form = $("form[data-code-from-link]");
    const code = location.hash.slice(1);
    if (!form || !code) return;
    history.replaceState(null, "", location.pathname);
    $("input[name=code]", form).value = code;
    form.requestSubmit();
  }
  window.addEventListener("hashchange", followLink);
  followLink();

  // --- keys
  const help = () => $("#keys");
  let waitingForGo = 0;

  function typing(target) {
    return target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  }

  function into(field) {
    field?.focus();
    field?.select();
    return Boolean(field);
  }

  const actions = {
    "?": () => help()?.showModal(),
    "/": () => into($("main form[action='/suche'] input[type=search]") ?? $(".top input[type=search]")),
    ".": () => into($("main input[type=search]")),
    j: () => moveTo(cursor + 1),
    k: () => moveTo(cursor < 0 ? 0 : cursor - 1),
    x: () => { const row = rows()[cursor]; const box = row && $("input[data-pick]", row); if (box) { box.checked = !box.checked; showSelection(); } },
    a: () => { const every = $("input[data-pick-all]"); if (every) every.click(); },
    Enter: () => { const row = rows()[cursor]; const link = row && $("a[data-open]", row); if (link) link.click(); return Boolean(link); },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(KEYS_OFF) || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") { for (const menu of all("details.menu[open]")) menu.open = false; return; }
    if (typing(event.target)) return;
    if (waitingForGo && Date.now() - waitingForGo < 1500) {
      waitingForGo = 0;
      const link = $(`a[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (event.key === "g") { waitingForGo = Date.now(); return; }
    const button = $(`button[data-key="${CSS.escape(event.key)}"]`);
    if (button) { event.preventDefault(); button.click(); return; }
    const action = actions[event.key];
    if (!action) return;
    if (event.key === "Enter" && !(event.target.matches("input[data-pick]") || event.target === document.body)) return;
    if (action() !== false) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show-keys]")) help()?.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    if (event.target.closest("[data-print]")) window.print();
  });

  document.addEventListener("DOMContentLoaded", () => {
    const on = $("#keys-on");
    if (on) on.checked = !localStorage.getItem(KEYS_OFF);
    showSelection();
  });
})();
