// The smallest provider that the harnesses' own tests need: it keeps nothing, and does what its inputs tell it to.

let config;

exports.thing = {
    configure: (request) => {
        config = request.config;
    },
    check: async (_olds, news) => ({
        inputs: news,
        failures: news.value === "refused" ? [{ property: "value", reason: "value must not be refused" }] : [],
    }),
    diff: async (_id, olds, news) => ({
        changes: olds.value !== news.value || olds.fixed !== news.fixed,
        replaces: olds.fixed !== news.fixed ? ["fixed"] : [],
        deleteBeforeReplace: true,
    }),
    create: async (inputs) => {
        if (inputs.value === "crash") {
            process.exit(3);
        }
        if (inputs.value === "slow") {
            // Longer than events take on a busy machine.
            await new Promise((resolve) => setTimeout(resolve, 5_000));
        }
        if (inputs.value === "unready") {
            const outs = { ...inputs, seen: config.get("temporalcloud:endpoint") };
            throw Object.assign(new Error("it did not become ready"), {
                id: "half",
                properties: outs,
                reasons: ["it did not become ready"],
            });
        }
        console.log(`created in ${process.cwd()}`);
        return { id: "whole", outs: { ...inputs, seen: config.get("temporalcloud:endpoint") } };
    },
    read: async (id, props) => {
        if (process.env.TRIVIAL_GONE === "yes") {
            return { id: "", props: {} };
        }
        const { seen, ...inputs } = props;
        const value = process.env.TRIVIAL_DRIFT ?? props.value;
        return { id, props: { ...inputs, seen, value }, inputs: { ...inputs, value } };
    },
    update: async (_id, _olds, news) => ({ outs: { ...news, seen: config.get("temporalcloud:endpoint") } }),
    delete: async () => {},
};
