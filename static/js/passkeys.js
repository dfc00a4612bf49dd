// A form whose button asks the browser for a passkey, and sends its answer. Hidden where none can be used.
{
  const ASK = {
    make: (publicKey) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) }),
    use: (publicKey) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) }),
  };
  const canBeUsed = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON && navigator.credentials);

  async function ask(form) {
    const trouble = form.querySelector("[data-app-trouble]");
    trouble.hidden = true;
    try {
      const credential = await ASK[form.dataset.appPasskey](JSON.parse(form.dataset.question));
      form.querySelector("[name=passkey]").value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      // Cancelled, timed out, or a passkey of another place: the browser has said which.
      trouble.textContent = form.dataset.trouble;
      trouble.hidden = false;
    }
  }

  document.querySelectorAll("form[data-app-passkey]").forEach((form) => {
    if (!canBeUsed) return;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  });
  document.querySelectorAll("[data-app-no-passkeys]").forEach((words) => {
    words.hidden = canBeUsed;
  });
}
