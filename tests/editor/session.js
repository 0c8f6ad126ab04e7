// One debug session of an editor: drives the CDT GDB adapter over the Debug Adapter Protocol as VS Code would.
//
// usage: node session.js CONFIGURATION.json SOURCE LINE
//   CONFIGURATION  an entry of launch.json, its variables substituted; handed to the adapter as it is
//   SOURCE, LINE   where the breakpoint goes: a line of main() that calls next_second(), as `mvctl init` writes it
// Run from the folder that has node_modules. Ends with 0 if everything was as it should be.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');

const modules = path.join(process.cwd(), 'node_modules');
const { DebugClient } = require(path.join(modules, '@vscode/debugadapter-testsupport'));
const adapter = path.join(modules, 'cdt-gdb-adapter/dist/debugTargetAdapter.js');

const [configurationFile, source, lineText] = process.argv.slice(2);
const configuration = JSON.parse(fs.readFileSync(configurationFile));
const line = Number(lineText);

const client = new DebugClient('node', adapter, configuration.type, { cwd: configuration.cwd }, true);
client.defaultTimeout = 180000;
const console_lines = [];
client.on('output', (event) => console_lines.push(event.body.output));

function said(text) {
  return console_lines.join('').includes(text);
}

// Sends a request that lets the application run, and gives where it stopped.
async function until_stopped(reason, request) {
  const [event] = await Promise.all([client.waitForEvent('stopped'), request()]);
  assert.strictEqual(event.body.reason, reason);
  return stack();
}

const thread = { threadId: 1 };

async function stack() {
  return (await client.stackTraceRequest(thread)).body.stackFrames;
}

// The locals of a frame, by name.
async function locals(frame) {
  const scopes = (await client.scopesRequest({ frameId: frame.id })).body.scopes;
  const scope = scopes.find((one) => one.name === 'Local');
  const variables = (await client.variablesRequest({ variablesReference: scope.variablesReference })).body.variables;
  return Object.fromEntries(variables.map((one) => [one.name, one.value]));
}

async function evaluate(expression, frame, context = 'watch') {
  return (await client.evaluateRequest({ expression, context, frameId: frame && frame.id })).body.result;
}

async function connect() {
  const ready = client.waitForEvent('initialized');
  const capabilities = (await client.initializeRequest()).body;
  const started = client.send(configuration.request, configuration);
  await Promise.all([ready, started]);
  return capabilities;
}

async function breaks_at_the_line() {
  const set = await client.setBreakpointsRequest({ source: { path: source }, breakpoints: [{ line }] });
  assert.strictEqual(set.body.breakpoints[0].verified, true);
  const frames = await until_stopped('breakpoint', () => client.configurationDoneRequest());
  assert.strictEqual(frames[0].name, 'main');
  assert.strictEqual(frames[0].line, line);
  assert.strictEqual(frames[0].source.path, source);
}

async function shows_threads_locals_and_values() {
  const threads = (await client.threadsRequest()).body.threads;
  assert.deepStrictEqual(threads.map((one) => one.id), [1]);
  const [top] = await stack();
  const values = await locals(top);
  assert.match(values.seconds, /^\d+$/);
  assert.match(values.clock, /^\d{6,}$/);
  assert.strictEqual(await evaluate('clock', top), values.clock);
  assert.strictEqual(await evaluate('2 * clock', top), String(2 * Number(values.clock)));
}

async function steps_in_out_and_over() {
  const seconds = Number((await locals((await stack())[0])).seconds);
  let frames = await until_stopped('step', () => client.stepInRequest(thread));
  assert.deepStrictEqual(frames.slice(0, 2).map((one) => one.name), ['next_second', 'main']);
  assert.strictEqual((await locals(frames[0])).seconds, String(seconds));
  frames = await until_stopped('step', () => client.stepOutRequest(thread));
  assert.strictEqual(frames[0].name, 'main');
  while (frames[0].line === line) frames = await until_stopped('step', () => client.nextRequest(thread));
  assert.strictEqual(frames[0].line, line + 1);
  assert.strictEqual((await locals(frames[0])).seconds, String(seconds + 1));
}

async function changes_a_variable() {
  const [top] = await stack();
  const scopes = (await client.scopesRequest({ frameId: top.id })).body.scopes;
  const variablesReference = scopes.find((one) => one.name === 'Local').variablesReference;
  await client.setVariableRequest({ variablesReference, name: 'clock', value: '4711' });
  assert.strictEqual(await evaluate('clock', top), '4711');
}

async function reads_memory_and_disassembles() {
  const [top] = await stack();
  const memoryReference = await evaluate('(unsigned long)&ticks', top);
  const read = await client.customRequest('readMemory', { memoryReference, count: 4 });
  const bytes = Buffer.from(read.body.data, 'base64');
  assert.strictEqual(bytes.readUInt32LE(0), Number(await evaluate('ticks', top)));
  const code = await client.disassembleRequest({
    memoryReference: top.instructionPointerReference, instructionOffset: 0, instructionCount: 8 });
  assert.strictEqual(code.body.instructions.length, 8);
  assert.strictEqual(Number(code.body.instructions[0].address), Number(top.instructionPointerReference));
  assert.match(code.body.instructions[0].instruction, /^[a-z]/);
}

async function stops_when_a_variable_changes() {
  await client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
  const { dataId } = (await client.dataBreakpointInfoRequest({ name: 'ticks' })).body;
  await client.setDataBreakpointsRequest({ breakpoints: [{ dataId, accessType: 'write' }] });
  // The adapter has no word of its own for GDB's "watchpoint-trigger".
  const frames = await until_stopped('generic', () => client.continueRequest(thread));
  assert.strictEqual(frames[0].name, 'SysTick_Handler');
  await client.setDataBreakpointsRequest({ breakpoints: [] });
}

// With a second GDB the adapter reads variables while the application runs.
async function watches_while_it_runs() {
  await client.continueRequest(thread);
  const seen = new Set();
  const deadline = Date.now() + 30000;
  while (seen.size < 3 && Date.now() < deadline) seen.add(await evaluate('ticks', undefined));
  assert.ok(seen.size >= 3, `ticks stays at ${[...seen]} while the application runs`);
}

async function pauses() {
  const [event] = await Promise.all([client.waitForEvent('stopped'), client.pauseRequest(thread)]);
  assert.match(event.body.reason, /pause|SIGINT/);
  assert.ok((await stack()).some((one) => one.name === 'main'));
}

async function restarts_the_application() {
  await client.customRequest('cdt-gdb-adapter/customReset');
  await evaluate('>tbreak main', undefined, 'repl');
  const frames = await until_stopped('breakpoint', () => client.continueRequest(thread));
  assert.strictEqual(frames[0].name, 'main');
  assert.strictEqual(await evaluate('ticks', frames[0]), '0');
}

async function session() {
  const step = async (action) => {
    const began = Date.now();
    const result = await action();
    console.log(`${action.name}: ${Date.now() - began} ms`);
    return result;
  };
  await client.start();
  await step(connect);
  await step(breaks_at_the_line);
  await step(shows_threads_locals_and_values);
  await step(steps_in_out_and_over);
  await step(changes_a_variable);
  await step(reads_memory_and_disassembles);
  await step(stops_when_a_variable_changes);
  if (configuration.auxiliaryGdb) {
    await step(watches_while_it_runs);
    await step(pauses);
  }
  await step(restarts_the_application);
  await step(async function disconnects() {
    await client.disconnectRequest();
  });
  if (configuration.request === 'launch') assert.ok(said('end-to-end encrypted'), 'the words of mvctl are not shown');
}

session().then(
  () => process.exit(0),
  (error) => {
    console.error(error.stack || error);
    console.error(console_lines.join(''));
    client.stop().finally(() => process.exit(1));
  });
