// The diary's table by keys and by dragging. Either leads to the page to which its links lead too, and that page asks
// first: nothing is changed here. Without this script the links do all of it.
{
  const WIDE = matchMedia("(min-width: 40.0625em)");
  // Less is the hand that shakes, and no drag.
  const DRAG_PIXELS = 6;
  const EDGE_PIXELS = 48;
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  class Diary {
    constructor(table) {
      this.table = table;
      this.scroller = table.closest(".app-scroll");
      // Only who runs the diary blocks and moves.
      this.blocking = table.dataset.appBlock || "";
      this.columns = [...table.tHead.rows[0].cells].slice(1).map((head) => head.dataset.appQuery);
      this.isWeek = this.columns.some((query) => query.startsWith("on="));
      this.cells = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]);
      this.places = new Map(this.cells.flatMap((row, y) => row.map((cell, x) => [cell, [y, x]])));
      // The cell where a choice of times began, the booking that is moved, the mouse that is down.
      this.anchor = this.carried = this.drag = null;
    }

    start() {
      this.table.setAttribute("role", "grid");
      if (this.blocking) this.table.setAttribute("aria-multiselectable", "true");
      this.table.classList.add("app-diary--live");
      for (const cell of this.places.keys()) cell.tabIndex = -1;
      this.stop = this.cells[0][0];
      this.stop.tabIndex = 0;
      this.table.addEventListener("keydown", (event) => this.key(event));
      this.table.addEventListener("focusin", (event) => this.arrive(event.target.closest("td")));
      if (!this.blocking) return;
      this.table.addEventListener("pointerdown", (event) => this.down(event));
      this.table.addEventListener("dragstart", (event) => event.preventDefault());
      document.addEventListener("pointermove", (event) => this.move(event));
      document.addEventListener("pointerup", (event) => this.up(event));
      document.addEventListener("pointercancel", () => this.forget());
      // Going back shows the page as it was left.
      addEventListener("pageshow", () => this.forget());
    }

    // One cell is on the way of the Tab key: the one where somebody was last.
    arrive(cell) {
      if (!cell) return;
      this.stop.tabIndex = -1;
      this.stop = cell;
      cell.tabIndex = 0;
    }

    key(event) {
      const cell = event.target.closest("td");
      if (!cell || event.altKey || event.metaKey) return;
      const done = event.key in MOVES ? this.step(event, cell) : this.press(event, cell);
      if (done) event.preventDefault();
    }

    step(event, cell) {
      const [y, x] = this.places.get(cell), [down, right] = MOVES[event.key];
      const next = this.cells[y + down]?.[x + right];
      if (!next) return true;
      if (!event.shiftKey) this.choose(null);
      else if (this.blocking && !this.carried) {
        const anchor = this.anchor || cell;
        if (!this.joins(anchor, next)) return true;
        this.choose(anchor, next);
      }
      next.focus();
      return true;
    }

    press(event, cell) {
      const [y] = this.places.get(cell), rows = event.ctrlKey ? this.cells : [this.cells[y]];
      if (event.key === "Home") rows[0][0].focus();
      else if (event.key === "End") rows.at(-1).at(-1).focus();
      else if (event.key === "Escape") this.giveUp();
      else if (event.key === "Enter" && event.target === cell) this.enter(cell);
      else if (event.key.toLowerCase() === "m" && this.blocking && !event.ctrlKey) this.carry(event.target, cell);
      else return false;
      return true;
    }

    giveUp() {
      if (this.carried || this.anchor || this.drag) this.say("Nothing is chosen, nothing is moved.");
      this.forget();
    }

    carry(target, cell) {
      const there = [...cell.querySelectorAll("[data-app-move]")];
      const booking = target.closest("[data-app-move]") || (there.length === 1 ? there[0] : null);
      if (!booking) return this.say(there.length ? "Go to one of the names first." : "Nobody is booked here who can be moved.");
      this.forget();
      this.pick(booking);
      this.say(`Moving ${booking.dataset.appName}. Go to a free time and press Enter, or Escape to leave it.`);
    }

    enter(cell) {
      if (this.carried) return this.drop(cell);
      if (this.anchor) return this.block(this.anchor, cell);
      const links = cell.querySelectorAll("a");
      if (links.length === 1) links[0].click();
      else if (links.length) links[0].focus();
      else if (this.blocking && cell.dataset.appAct) this.block(cell, cell);
    }

    drop(cell) {
      if (!cell.dataset.appTarget) return this.say("This time is not free.");
      location.assign(`${this.carried.dataset.appMove}?${cell.dataset.appTarget}`);
    }

    // A stretch of time lies within one day: in a week, within one column.
    joins(from, to) {
      return !this.isWeek || this.places.get(from)[1] === this.places.get(to)[1];
    }

    between(from, to) {
      const [top, left] = this.places.get(from), [bottom, right] = this.places.get(to);
      const rows = this.cells.slice(Math.min(top, bottom), Math.max(top, bottom) + 1);
      return rows.flatMap((row) => row.slice(Math.min(left, right), Math.max(left, right) + 1));
    }

    block(from, to) {
      const within = this.between(from, to), timed = within.filter((cell) => cell.dataset.appFrom);
      if (!timed.length) return this.say("There are no times here.");
      const begin = timed.map((cell) => cell.dataset.appFrom).sort()[0];
      const end = timed.map((cell) => cell.dataset.appTo).sort().at(-1);
      const columns = [...new Set(within.map((cell) => this.places.get(cell)[1]))].map((x) => this.columns[x]);
      const act = within.some((cell) => cell.dataset.appAct === "block") ? "block" : "free";
      location.assign([this.blocking, ...columns, `act=${act}`, `from=${begin}`, `to=${end}`].join("&"));
    }

    choose(from, to) {
      this.anchor = from;
      const chosen = new Set(from ? this.between(from, to) : []);
      for (const cell of this.places.keys()) {
        if (chosen.has(cell)) cell.setAttribute("aria-selected", "true");
        else cell.removeAttribute("aria-selected");
      }
    }

    pick(booking) {
      this.carried = booking;
      booking.classList.add("app-diary__carried");
      this.table.classList.add("app-diary--moving");
    }

    forget() {
      this.choose(null);
      this.carried?.classList.remove("app-diary__carried");
      this.over(null);
      this.table.classList.remove("app-diary--moving", "app-diary--dragged");
      this.carried = this.drag = null;
    }

    over(cell) {
      this.below?.classList.remove("app-diary__below");
      this.below = cell;
      cell?.classList.add("app-diary__below");
    }

    down(event) {
      const cell = event.target.closest("td");
      // A finger scrolls.
      if (event.button || event.pointerType === "touch" || !WIDE.matches || !cell) return;
      const booking = event.target.closest("[data-app-move]");
      if (booking || cell.dataset.appAct) this.drag = { x: event.clientX, y: event.clientY, cell, booking, last: cell };
    }

    move(event) {
      const drag = this.drag;
      if (!drag) return;
      if (!drag.moves) {
        if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DRAG_PIXELS) return;
        this.forget();
        this.drag = { ...drag, moves: true };
        this.table.classList.add("app-diary--dragged");
        if (drag.booking) this.pick(drag.booking);
      }
      getSelection()?.removeAllRanges();
      this.scroll(event);
      const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("td");
      this.drag.last = this.places.has(cell) ? cell : null;
      if (drag.booking) this.over(this.drag.last?.dataset.appTarget ? this.drag.last : null);
      else if (this.drag.last && this.joins(drag.cell, this.drag.last)) this.choose(drag.cell, this.drag.last);
    }

    scroll(event) {
      if (event.clientY < EDGE_PIXELS) scrollBy(0, -EDGE_PIXELS / 2);
      if (event.clientY > innerHeight - EDGE_PIXELS) scrollBy(0, EDGE_PIXELS / 2);
      const { left, right } = this.scroller.getBoundingClientRect();
      if (event.clientX < left + EDGE_PIXELS) this.scroller.scrollBy(-EDGE_PIXELS / 2, 0);
      if (event.clientX > right - EDGE_PIXELS) this.scroller.scrollBy(EDGE_PIXELS / 2, 0);
    }

    // Let go of outside the table, or where nothing can be done: all stays as it was.
    up(event) {
      const drag = this.drag;
      this.drag = null;
      if (!drag?.moves) return;
      // The link under the mouse is not meant.
      const unmeant = (click) => click.preventDefault();
      this.table.addEventListener("click", unmeant, { capture: true });
      setTimeout(() => this.table.removeEventListener("click", unmeant, { capture: true }));
      if (!drag.last) this.giveUp();
      else if (drag.booking) this.drop(drag.last);
      else if (this.joins(drag.cell, drag.last)) this.block(drag.cell, drag.last);
      this.forget();
      event.preventDefault();
    }

    say(text) {
      const live = document.getElementById("app-live");
      if (live) live.textContent = text;
    }
  }

  const table = document.querySelector("[data-app-diary]");
  if (table) {
    new Diary(table).start();
    document.querySelectorAll("[data-app-diary-help]").forEach((help) => (help.hidden = false));
  }
}
