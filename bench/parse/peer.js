// What the npm package vpc-flow-log-parser did (it is no longer on the
// registry): split a line at blanks into an object of strings, and format both
// times. Usage: node peer.js FILE
const fs = require("fs");
const readline = require("readline");

let fields = null;
let records = 0;
const lines = readline.createInterface({ input: fs.createReadStream(process.argv[2], { highWaterMark: 1 << 20 }) });
lines.on("line", (line) => {
  const parts = line.split(" ");
  if (!fields) {
    fields = parts;
    return;
  }
  const record = {};
  for (let i = 0; i < fields.length; i++) record[fields[i]] = parts[i];
  record.startTime = new Date(record.start * 1000).toISOString();
  record.endTime = new Date(record.end * 1000).toISOString();
  records++;
});
lines.on("close", () => console.log(records, "records"));
