// The same work on Terraform and the Terraform provider for Temporal Cloud.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolder, removeFolder } from "./folder.mjs";
import { watch } from "./processes.mjs";
import { ofEachKind } from "./resources.mjs";

const DAY_MS = 24 * 3_600_000;

/** Terraform's equivalent of each command. Pulumi does not refresh in `up` and `destroy`, hence -refresh=false. */
const COMMANDS = {
    up: ["apply", "-auto-approve", "-refresh=false"],
    "up again": ["apply", "-auto-approve", "-refresh=false"],
    refresh: ["apply", "-auto-approve", "-refresh-only"],
    drift: ["plan"],
    destroy: ["destroy", "-auto-approve", "-refresh=false"],
};

const BLOCKS = {
    Namespace: (index) => `resource "temporalcloud_namespace" "namespace_${index}" {
  name           = "namespace-${index}"
  regions        = ["aws-us-east-1"]
  retention_days = 30
  api_key_auth   = true
}`,
    User: (index) => `resource "temporalcloud_user" "user_${index}" {
  email          = "user-${index}@example.com"
  account_access = "read"
}`,
    ServiceAccount: (index) => `resource "temporalcloud_service_account" "serviceaccount_${index}" {
  name           = "serviceaccount-${index}"
  account_access = "read"
}`,
    ApiKey: (index, expiry) => `resource "temporalcloud_apikey" "apikey_${index}" {
  display_name = "apikey-${index}"
  owner_type   = "service-account"
  owner_id     = temporalcloud_service_account.serviceaccount_${index}.id
  expiry_time  = "${expiry}"
}`,
};

export class Terraform {
    operations = Object.keys(COMMANDS);

    /**
     * @param {string} binary
     * @param {string} provider the provider's binary
     */
    constructor(binary, provider, kinds, parallel) {
        this.binary = path.resolve(binary);
        this.provider = path.resolve(provider);
        this.kinds = kinds;
        this.parallel = parallel;
        this.folder = makeFolder();
        // With an override, Terraform needs no `init` and no registry.
        writeFileSync(
            path.join(this.folder, "terraformrc"),
            `provider_installation {
  dev_overrides {
    "temporalio/temporalcloud" = "${path.dirname(this.provider)}"
  }
  direct {}
}
`,
        );
    }

    async run(operation, { size, emulator, env }) {
        this.declare(size);
        await emulator.ask("reset");
        const startedAt = performance.now();
        const child = spawn(
            this.binary,
            [...COMMANDS[operation], `-parallelism=${this.parallel}`, "-input=false", "-no-color"],
            {
                cwd: this.folder,
                env: {
                    ...process.env,
                    TF_CLI_CONFIG_FILE: path.join(this.folder, "terraformrc"),
                    CHECKPOINT_DISABLE: "1",
                    ...env,
                },
                stdio: ["ignore", "ignore", "pipe"],
            },
        );
        const watching = watch(child.pid, ([command = ""]) =>
            path.basename(command).startsWith("terraform-provider") ? "plugin" : undefined,
        );
        let errors = "";
        child.stderr.setEncoding("utf8").on("data", (text) => {
            errors = (errors + text).slice(-4_000);
        });
        const kill = () => child.kill();
        process.once("exit", kill);
        const [code, signal] = await once(child, "close");
        const wallMs = performance.now() - startedAt;
        process.off("exit", kill);
        const { plugin } = watching.stop();
        const error = code === 0 ? undefined : errors || `Terraform exited with ${signal ?? `code ${code}`}`;
        return { wallMs, error, plugin, requests: await emulator.ask("report") };
    }

    /** Writes the configuration once, so that the expiry of the keys stays the same. */
    declare(size) {
        if (this.declared) {
            return;
        }
        this.declared = true;
        const expiry = new Date(Date.now() + 90 * DAY_MS).toISOString().replace(/\.\d+Z$/, "Z");
        const blocks = [
            'terraform {\n  required_providers {\n    temporalcloud = { source = "temporalio/temporalcloud" }\n  }\n}',
        ];
        for (let index = 0; index < ofEachKind(size, this.kinds); index += 1) {
            blocks.push(...this.kinds.map((kind) => BLOCKS[kind](index, expiry)));
        }
        writeFileSync(path.join(this.folder, "main.tf"), `${blocks.join("\n\n")}\n`);
    }

    remove() {
        removeFolder(this.folder);
    }
}
