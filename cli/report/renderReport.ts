import type { ReportData } from "./collectReport.ts";
import { markup, raw } from "./markup.ts";
import { reportStyle } from "./reportStyle.ts";
import {
  factsSection,
  graphSection,
  layersSection,
  measuresSection,
  trainingSection,
  warningsSection,
  weightsSection,
} from "./sections.ts";

/**
 * The report as one HTML page that needs nothing besides itself: no script, no font, no picture from elsewhere. Every string
 * of a file is escaped. The same data give the same bytes.
 */
export function renderReport(data: ReportData): string {
  const { model, training } = data;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${model.name} · weightgraph</title>
<style>${raw(reportStyle)}</style>
</head>
<body>
<header><p class="brand">weightgraph</p><h1>${model.name}</h1>${factsSection(data)}</header>
<main>
${graphSection(data)}
${training === null ? markup`` : trainingSection(training)}
${weightsSection(data)}
${measuresSection(data)}
${layersSection(data)}
${warningsSection(data)}
</main>
</body>
</html>
`.html;
}
