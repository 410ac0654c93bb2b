  // Numbers as English texts write them, read as stslab/studies/quantities.py reads them. Only
  // Python takes ı and İ for an i without regard to case: "20 mı" are 20 there, too, but quoted whole.
  function numberDifference(a, b, lexicon) {
    const [first, second] = [a, b].map((text) => quantities(text, lexicon));
    const sides = [onlyHere(first, second), onlyHere(second, first)];
    if (!sides[0].length || !sides[1].length || !first.length || !second.length) return null;
    const named = (name) => sides.map((side) => [...new Set(side.map((each) => each[name]))].join(", "));
    const numbers = named("number");
    return (numbers[0] === numbers[1] ? named("whole") : numbers).join(" / ");
  }

  // Those that stand for none of the others. One without a unit may be of any.
  function onlyHere(here, there) {
    const near = (one, other) => one.kind === other.kind && one.unit !== other.unit
      && typeof one.size === "number" && typeof other.size === "number"
      && Number.isFinite(one.size - other.size)
      && Math.abs(one.size - other.size) <= 0.01 * Math.max(Math.abs(one.size), Math.abs(other.size));
    return here.filter((each) => {
      const same = there.some((other) => other.value === each.value && (!each.unit || !other.unit));
      return !same && !(each.unit && there.some((other) => {
        return (other.kind === each.kind && other.size === each.size) || near(each, other);
      }));
    });
  }

  // Digits of any script stand in rows from 0 to 9; NFKC makes those of mathematics ASCII.
  const numeric = (text) => +text.normalize("NFKC").replace(/[^\x00-\x7f]/gu, (digit) => {
    let value = 0;
    while (/\p{Nd}/u.test(String.fromCodePoint(digit.codePointAt(0) - value - 1))) value++;
    return /\p{Nd}/u.test(digit) ? value : digit;
  });

  // One text is in many pairs.
  const read = new Map();
  function quantities(text, lexicon) {
    if (read.size > 5000) read.clear();
    if (!read.has(text)) read.set(text, readQuantities(text, lexicon));
    return read.get(text);
  }

  function readQuantities(text, { number, before, after, values, scales, months, units }) {
    const found = [], letters = (part) => part.toLowerCase().match(/[a-z]+/g) || [];
    const known = (word) => Object.hasOwn(values, word) || Object.hasOwn(scales, word);
    if (!/\p{Nd}/u.test(text) && !letters(text).some(known)) return found;
    const search = pattern(number);
    let from = 0, match;
    while (search.lastIndex = from, match = search.exec(text)) {
      const { groups } = match, start = match.index, whole = match[0].toLowerCase();
      const clock = groups.hour || groups.hour24, begin = Math.max(from, start - 24);
      from = start + match[0].length;
      if (groups.year) {
        const month = months[groups.month - 1], value = numeric(groups.year), day = numeric(groups.day);
        found.push({ value, unit: "", kind: "", size: 0, number: groups.year, whole });
        found.push({ value: day, unit: month, kind: month, size: day, number: whole, whole });
      } else if (clock) {
        const hour = numeric(clock);
        const minute = numeric(groups.minute || groups.minute24 || "0"), half = groups.half?.toLowerCase();
        const size = 60 * (half ? hour % 12 + (half === "p" ? 12 : 0) : hour) + minute;
        found.push({ value: minute ? whole : hour, unit: "clock", kind: "clock", size, number: whole, whole });
      } else {
        found.push(withItsUnit(begin, match));
      }
    }
    return found;

    // A number with what belongs to it, from `begin` on.
    function withItsUnit(begin, match) {
      const start = match.index, end = from;
      const ahead = new RegExp(before, "giu"), behind = new RegExp(after, "iuy");
      ahead.lastIndex = begin;
      behind.lastIndex = end;
      const left = ahead.exec(text.slice(0, start)), b = left.groups, right = behind.exec(text), a = right.groups;
      const money = b.currency;
      let { scale, unit } = a;
      let stop = end + (a.ordinal || "").length + (a.half || "").length + scale.length;
      // "5m" are meters, "5b" may be a door.
      if (["m", "-m", "b"].includes(scale) && !money && !unit) [scale, unit, stop] = ["", scale.replace("-", ""), end];
      let value = valueOf(match);
      if (typeof value === "number") {
        value = (value + (a.half ? 0.5 : 0)) * (b.half ? 0.5 : 1) * (b.minus ? -1 : 1);
        for (const name of letters(scale)) value *= scales[name.replace(/s$/, "")] ?? 1;
      } else {
        value += scale;
      }
      const spelled = money ? (money.includes("$") ? "$" : money.toLowerCase().match(/[^\s\x1c-\x1f\x85]+/)[0]) : unit || "";
      const key = [...spelled].length === 1 ? spelled : spelled.toLowerCase();
      let [name, kind, factor] = Object.hasOwn(units, key) ? units[key] : ["", "", 1];
      const month = (a.month || b.month || "").slice(0, 3).toLowerCase();
      const dated = (value >= 1 && value <= 31) || (value >= 1000 && value < 3000);
      if (month && typeof value === "number" && dated) [name, kind, factor] = [month, month, 1];
      else if (match.groups.ordinal || a.ordinal) [name, kind, factor] = ["rank", "rank", 1];
      const size = typeof value === "number" ? value * factor : value;
      // Python's $ also stands before a line break.
      const signed = left.index + left[0].length - (money || "").length - (b.half || "").length - (b.minus || "").length;
      from = right.index + right[0].length;
      return { value, unit: name, kind, size, number: text.slice(b.half || b.minus ? signed : start, stop).toLowerCase(),
        whole: text.slice(left.index, from).toLowerCase() };
    }

    // A number's own digits or words; what is a version or the like stays as it is.
    function valueOf({ 0: match, groups: { digits } }) {
      if (digits) {
        const plain = digits.replace(/\s|,(?=\p{Nd}{3}(?!\p{Nd}))/gu, "")
          .replace(/^(\p{Nd}+),(\p{Nd}{1,2})$/u, "$1.$2");
        const value = numeric(plain);
        return isNaN(value) ? plain : value;
      }
      let total = 0, current = 0;
      for (const word of letters(match)) {
        if (Object.hasOwn(scales, word)) {
          current = Math.max(current, 1) * scales[word];
          if (scales[word] >= 1000) [total, current] = [total + current, 0];
        } else {
          current += values[word] || 0;
        }
      }
      return total + current;
    }
  }
