// The elements of lines with what belongs to them: their time, the button and duration of a section's header, whether they are
// folded away, chosen, or the place at which a search is.
import { duration } from "../clock.js";
import { note, renderLine } from "./line.js";

export class Rows {
  // `times` and `sections` are those of the log; `toggle` is called with the section whose button was pressed.
  constructor(times, sections, toggle) {
    this.times = times;
    this.sections = sections;
    this.toggle = toggle;
    this.selected = null;
    this.current = null;
  }

  // A line as groups.js has it → its element
  build(number, { parsed, offset, more }) {
    const row = renderLine(number, parsed.runs);
    if (more) note(row.lastChild, more);
    row.moment = parsed.moment ?? this.times.at(offset);
    if (this.times.on) this.times.show(row);
    const section = parsed.runs.length || !parsed.markers.length ? this.sections.headed(number) : undefined;
    if (section) this.header(row, section);
    row.hidden = this.sections.hides(number);
    this.mark(row);
    return row;
  }

  header(row, section) {
    row.classList.add("section");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "fold";
    button.setAttribute("aria-expanded", String(!section.folded));
    button.setAttribute("aria-label", `Section ${section.name}`);
    button.addEventListener("click", () => this.toggle(section));
    row.insertBefore(button, row.lastChild);
    if (section.end !== null) this.took(row, section);
  }

  took(row, section) {
    const label = document.createElement("span");
    label.className = "took";
    label.textContent = duration(section.end - section.start);
    row.lastChild.append(label);
  }

  // What is folded has changed, or a section has ended.
  refold(row) {
    const number = Number(row.dataset.line);
    row.hidden = this.sections.hides(number);
    const button = row.querySelector(":scope > .fold");
    const section = button && this.sections.headed(number);
    if (!section) return;
    button.setAttribute("aria-expanded", String(!section.folded));
    if (section.end !== null && !row.querySelector(".took")) this.took(row, section);
  }

  mark(row) {
    const number = Number(row.dataset.line);
    const { selected, current } = this;
    row.classList.toggle("marked", selected !== null && number >= selected[0] && number <= selected[1]);
    row.classList.toggle("current", number === current);
  }
}
