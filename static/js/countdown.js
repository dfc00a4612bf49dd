// Time left until something is due, from the absolute time that stands in the page. Without this script the page
// says how long it was when it was opened. Nothing here takes the focus.
{
  const MINUTE = 60, HOUR = 3600, DAY = 86400;
  // Seconds before the end at which it is said, where the page asks for that; 0 is the end itself.
  const SPOKEN = [900, 300, 60, 0];
  // Only the last minutes show seconds: a line that changes all the time is hard to read past.
  const SECONDS_FROM = 10 * MINUTE;

  const count = (number, unit) => `${number} ${unit}${number === 1 ? "" : "s"}`;

  function inWords(seconds) {
    if (seconds >= DAY) return count(Math.floor(seconds / DAY), "day");
    const hours = Math.floor(seconds / HOUR), minutes = Math.floor((seconds % HOUR) / MINUTE);
    if (hours) return [count(hours, "hour"), ...(minutes ? [count(minutes, "minute")] : [])].join(" ");
    if (seconds >= SECONDS_FROM) return count(minutes, "minute");
    return [...(minutes ? [count(minutes, "minute")] : []), count(seconds % MINUTE, "second")].join(" ");
  }

  // What is past is told by the minute: nobody races it any more.
  function distance(left) {
    if (left > 0) return `in ${inWords(left)}`;
    if (left > -MINUTE) return "less than a minute ago";
    return left > -HOUR ? `${count(Math.floor(-left / MINUTE), "minute")} ago` : `${inWords(-left)} ago`;
  }

  class Countdown {
    constructor(place, ahead) {
      this.place = place;
      this.due = Date.parse(place.dataset.appDue);
      // The server's clock counts, not the one of this machine.
      this.ahead = ahead;
      // "in 12 minutes (Tuesday 14 July 2026 at 14:30)": the absolute time stays as it is.
      this.absolute = place.textContent.slice(place.textContent.indexOf("("));
      this.spoken = this.passed(this.left());
    }

    left() {
      return Math.round((this.due - Date.now() - this.ahead) / 1000);
    }

    // The last of the thresholds that is behind us.
    passed(left) {
      return SPOKEN.filter((seconds) => left <= seconds).pop();
    }

    tick() {
      const left = this.left();
      const text = `${distance(left)} ${this.absolute}`;
      if (this.place.textContent !== text) this.place.textContent = text;
      this.speak(left);
    }

    speak(left) {
      const threshold = this.passed(left);
      if (threshold === this.spoken) return;
      this.spoken = threshold;
      const what = this.place.dataset.appSpoken;
      const live = document.getElementById("app-live");
      if (what && live) live.textContent = left > 0 ? `${what} in ${inWords(left)}.` : `${what} now: the time has come.`;
    }
  }

  const places = document.querySelectorAll("[data-app-due]");
  if (places.length) {
    const ahead = Date.parse(places[0].dataset.appNow) - Date.now();
    const counting = [...places].map((place) => new Countdown(place, ahead));
    const tick = () => counting.forEach((each) => each.tick());
    tick();
    setInterval(tick, 1000);
    // A laptop that slept has no ticks.
    document.addEventListener("visibilitychange", tick);
  }
}
