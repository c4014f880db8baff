// Makes pages quicker and kinder; everything works without it.
"use strict";

// A form is sent once, and never into the void: what was typed stays when there is no connection.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!navigator.onLine) {
    event.preventDefault();
    say("There is no connection at the moment. What you typed stays here: send it again when you are back online.");
    return;
  }
  if (form.dataset.sent && !form.dataset.again) { event.preventDefault(); return; }
  if (form.method === "post") form.dataset.sent = "yes";
  if (form.dataset.progress) document.getElementById(form.dataset.progress).hidden = false;
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

function say(words) {
  const place = document.getElementById("said");
  if (!place) return;
  place.textContent = words;
  place.hidden = false;
}

// A card's square leads here with its words behind the #, which is sent to nobody. They are filled in and leave the
// address; whoever holds the card still says that they want to sign in, so that no link can do it for them.
function fillIn() {
  const held = new URLSearchParams(location.hash.slice(1)).get("card");
  const box = document.getElementById("code");
  if (!held || !box) return;
  history.replaceState(null, "", location.pathname + location.search);
  box.value = held.slice(0, 100);
  box.form.querySelector("button").focus();
}
fillIn();
window.addEventListener("hashchange", fillIn);

// A group of the navigation closes when it is left.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".top details[open]")) if (!open.contains(event.target)) open.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll(".top details[open]")) { open.open = false; open.querySelector("summary").focus(); }
});

// The list narrows while a name is typed.
for (const box of document.querySelectorAll("[data-narrows]")) {
  const rows = [...document.querySelectorAll(box.dataset.narrows)];
  box.closest("[hidden]")?.removeAttribute("hidden");
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLowerCase();
    for (const row of rows) row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
  });
}

// A choice in a filter takes effect at once.
for (const form of document.querySelectorAll("form[data-at-once]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// The auditor's slider: days since the first one, shown as a date, the picture follows.
for (const slider of document.querySelectorAll("input[data-days-from]")) {
  const day = document.getElementById(slider.dataset.shows);
  const first = Date.parse(slider.dataset.daysFrom + "T12:00:00Z");
  slider.closest("[hidden]")?.removeAttribute("hidden");
  slider.addEventListener("input", () => {
    day.value = new Date(first + slider.value * 864e5).toISOString().slice(0, 10);
  });
  slider.addEventListener("change", () => slider.form.requestSubmit());
}

// Files can be dropped where they can be chosen.
for (const drop of document.querySelectorAll(".drop")) {
  const input = drop.querySelector("input[type=file]");
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}

// What is being worked on is looked at again, while somebody looks.
for (const place of document.querySelectorAll("[data-again-in]")) {
  setTimeout(() => { if (!document.hidden) location.reload(); }, place.dataset.againIn * 1000);
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
