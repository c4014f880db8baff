// Passkeys: the browser asks the person's own device. Without this script the six digits of an app do the same.
"use strict";

const base = "/api/v1/me/second-factor/passkey";
const addresses = { add: ["", "/add"], prove: ["/ask", "/prove"] };

async function send(path, body) {
  const answer = await fetch(base + path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: body ? JSON.stringify(body) : undefined,
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

async function use(kind) {
  const [asked, answered] = addresses[kind];
  const options = await send(asked);
  const credential = kind === "add"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return send(answered, { credential: credential.toJSON() });
}

function show(codes) {
  const place = document.getElementById("passkey-codes");
  for (const code of codes) place.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: code }));
  place.hidden = false;
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseCreationOptionsFromJSON) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const place = document.getElementById("said");
    try {
      const told = await use(button.dataset.passkey);
      if (told.recovery_codes && told.recovery_codes.length) show(told.recovery_codes);
      else location.assign("/");
    } catch (error) {
      place.textContent = error.message || "The passkey could not be used. Try again.";
      place.hidden = false;
    }
  });
}
