/* Scanners type a code and press Enter. On these pages that finds the product's row instead of sending the form.
   Modes of the form: rows (each scan is one piece of a row), sheet (go to the product's field), pack (one piece in). */
(() => {
  const form = document.querySelector("form[data-scan-mode]");
  const input = form && form.querySelector("[data-scan]");
  if (!input) return;
  const box = form.querySelector("[data-scan-box]");
  const said = form.querySelector("[data-scan-said]");
  const say = (text, isWrong = false) => {
    said.textContent = text;
    said.classList.toggle("wrong", isWrong);
  };
  const rowOf = (code) =>
    [...form.querySelectorAll("[data-codes]")].find((row) => row.dataset.codes.split(" ").includes(code.toLowerCase()));

  const modes = {
    rows(code) {
      const rows = [...form.querySelectorAll("[data-row]")];
      const field = (row, name) => row.querySelector(`[name$="-${name}"]`);
      const same = rows.find((row) => field(row, "product").value.toLowerCase() === code.toLowerCase());
      const row = same || rows.find((row) => !field(row, "product").value) || addRow(rows[rows.length - 1]);
      const pieces = field(row, "quantity");
      field(row, "product").value = code;
      if (pieces) pieces.value = (parseInt(pieces.value, 10) || 0) + 1;
      say(pieces ? `${code}: ${pieces.value}` : code);
      return true;
    },
    sheet(code) {
      const row = rowOf(code);
      if (!row) return false; // the form is sent: the product is put on the sheet
      const pieces = row.querySelector("[data-pieces]");
      pieces.focus();
      pieces.select();
      say(code);
      return true;
    },
    pack(code) {
      const row = rowOf(code);
      if (!row) {
        say(`${code} is not on this shipment`, true);
        return true;
      }
      const all = [...form.querySelectorAll("[data-pieces]")];
      if (all.every((field) => field.value === "")) all.forEach((field) => (field.value = "0"));
      const pieces = row.querySelector("[data-pieces]");
      const most = parseInt(pieces.dataset.most, 10);
      const now = parseInt(pieces.value, 10) || 0;
      if (now >= most) say(`${code}: all ${most} are packed already`, true);
      else {
        pieces.value = now + 1;
        say(`${code}: ${now + 1} of ${most}`);
      }
      return true;
    },
  };

  function addRow(last) {
    const total = form.querySelector('[name$="-TOTAL_FORMS"]');
    const number = parseInt(total.value, 10);
    const row = last.cloneNode(true);
    row.querySelectorAll("[name], [id], [for]").forEach((part) => {
      for (const name of ["name", "id", "for"]) {
        const value = part.getAttribute(name);
        if (value) part.setAttribute(name, value.replace(/-\d+-/, `-${number}-`));
      }
      if (part.matches("input")) part.value = "";
    });
    row.querySelectorAll("p").forEach((error) => error.remove());
    last.after(row);
    total.value = number + 1;
    return row;
  }

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input")) return;
    if (event.target !== input) {
      event.preventDefault(); // Enter in a figure goes back to the scanner's field, it does not book anything
      input.focus();
      return;
    }
    const code = input.value.trim();
    if (code && !modes[form.dataset.scanMode](code)) return;
    event.preventDefault();
    input.value = "";
  });
  form.addEventListener("submit", (event) => {
    const question = event.submitter && event.submitter.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
  box.hidden = false;
  input.focus({ preventScroll: true });
})();
