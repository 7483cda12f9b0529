#!/usr/bin/env node
import { Command } from "commander";
import { PACKAGE_VERSION } from "../proto/generated/version";
import { emulatorCommand } from "./emulator";

const program = new Command("temporal-cloud")
    .description("Command-line tools for pulumi-temporal-cloud")
    .version(PACKAGE_VERSION)
    .addCommand(emulatorCommand());

program.parseAsync().catch((error: unknown) => {
    console.error(`temporal-cloud: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
});
