// The warning before the idle limit: counts down, keeps the page as it is, and signs out at the end.
{
  const SPOKEN_SECONDS = [120, 60, 30, 10];

  function inWords(seconds) {
    const minutes = Math.ceil(seconds / 60);
    const [count, unit] = seconds > 60 ? [minutes, "minute"] : [seconds, "second"];
    return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }

  class SessionDialog {
    constructor(dialog) {
      this.dialog = dialog;
      this.idle = Number(dialog.dataset.idleSeconds);
      this.warning = Number(dialog.dataset.warningSeconds);
      this.countdown = dialog.querySelector("[data-app-countdown]");
      this.spoken = dialog.querySelector("[data-app-spoken]");
      this.trouble = dialog.querySelector("[data-app-trouble]");
      // Other tabs of the same session: staying signed in there counts here.
      this.channel = "BroadcastChannel" in window ? new BroadcastChannel("app-session") : null;
    }

    start() {
      // The form that somebody is writing in, to be kept when the session ends by itself.
      document.addEventListener("input", (event) => {
        const form = event.target.form;
        if (form?.method === "post" && !this.dialog.contains(form)) this.written = form;
      });
      this.renew();
      this.channel?.postMessage("renewed");
      if (this.channel) this.channel.onmessage = () => this.renew();
      const form = this.dialog.querySelector("[data-app-keep-alive]");
      form.addEventListener("submit", (event) => this.keepAlive(event, form));
      this.dialog.addEventListener("cancel", (event) => event.preventDefault());
      // A laptop that slept has no ticks: look at the clock as soon as someone is back.
      document.addEventListener("visibilitychange", () => this.tick());
      setInterval(() => this.tick(), 1000);
    }

    renew() {
      this.endsAt = Date.now() + this.idle * 1000;
      this.lastSpoken = null;
      this.trouble.hidden = true;
      if (this.dialog.open) this.dialog.close();
    }

    tick() {
      const left = Math.round((this.endsAt - Date.now()) / 1000);
      if (left <= 0) return this.leave();
      if (left > this.warning) return;
      if (!this.dialog.open) this.dialog.showModal();
      this.countdown.textContent = inWords(left);
      this.speak(left);
    }

    speak(left) {
      const step = SPOKEN_SECONDS.filter((seconds) => left <= seconds).pop();
      if (step === undefined || step === this.lastSpoken) return;
      this.lastSpoken = step;
      this.spoken.textContent = `You will be signed out in ${inWords(left)}.`;
    }

    async keepAlive(event, form) {
      event.preventDefault();
      try {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
        if (!answer.ok) return this.leave();
        this.renew();
        this.channel?.postMessage("renewed");
      } catch {
        this.trouble.textContent = "We could not reach the server. Check your connection and try again.";
        this.trouble.hidden = false;
      }
    }

    async leave() {
      if (this.leaving) return;
      this.leaving = true;
      await this.keepWritten();
      const back = encodeURIComponent(location.pathname + location.search);
      location.replace(`${this.dialog.dataset.signIn}?next=${back}`);
    }

    // Whoever signs in again as the same person finds it filled in. Without a server there is nothing to do.
    async keepWritten() {
      if (!this.written) return;
      const headers = {
        "X-Form-Page": location.pathname + location.search,
        "X-Form-Action": new URL(this.written.getAttribute("action") || "", location.href).pathname,
        "X-Background": "1",
      };
      const body = new URLSearchParams(new FormData(this.written));
      try {
        await fetch(this.dialog.dataset.keepForm, { method: "POST", body, headers, redirect: "manual", keepalive: true });
      } catch {
        // Leaving comes first: patients' information must not stay on the screen.
      }
    }
  }

  const dialog = document.querySelector("[data-app-session]");
  if (dialog && typeof dialog.showModal === "function") new SessionDialog(dialog).start();
}
