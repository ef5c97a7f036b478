using System.Globalization;
using Dashboard.Sandbox.Http;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox;

/// <summary>The command line.</summary>
internal sealed record SandboxOptions
{
    public const string Usage = """
        Dashboard.Sandbox --port PORT --data DIR [--tools DIR] [--instance-ports 42000-42999] [--billing-factor 1] [--boot-seconds 4]
                          [--ssh-delay-seconds 1] [--key-delay-seconds 1] [--list-lag-seconds 2] [--charges-delay-seconds 5] [--log-delay-seconds 1]
                          [--status-lag-seconds 2] [--speed 1] [--spend-limit USD-PER-HOUR] [--credit 100] [--seed 1] [--max-instances 10]
                          [--limits off|real|harsh] [--control]
        """;

    public int Port { get; init; } = 5081;

    public string Data { get; init; } = "";

    public string? Tools { get; init; }

    public int FirstInstancePort { get; init; } = 42_000;

    public int LastInstancePort { get; init; } = 42_999;

    public ulong Seed { get; init; } = 1;

    /// <summary>From the answer of request_logs until the log can be fetched.</summary>
    public TimeSpan LogDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Truth endpoints exist; their token is the first line of standard input.</summary>
    public bool Control { get; init; }

    /// <summary>How often callers may come, until the control endpoints say otherwise.</summary>
    public LimitMode Limits { get; init; } = LimitMode.Off;

    public MarketSettings Market { get; init; } = new();

    /// <exception cref="FormatException">With a sentence that names the argument.</exception>
    public static SandboxOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new SandboxOptions();
        for (var index = 0; index < arguments.Count; index++)
        {
            var name = arguments[index];
            string Value() => ++index < arguments.Count ? arguments[index] : throw new FormatException($"{name} needs a value.");
            options = name switch
            {
                "--port" => options with { Port = (int)Number(name, Value(), 1, 65_535) },
                "--data" => options with { Data = Path.GetFullPath(Value()) },
                "--tools" => options with { Tools = Path.GetFullPath(Value()) },
                "--instance-ports" => WithPorts(options, Value()),
                "--billing-factor" => options with { Market = options.Market with { BillingFactor = Number(name, Value(), 0, 1_000_000) } },
                "--boot-seconds" => options with { Market = options.Market with { Boot = Seconds(name, Value()) } },
                "--ssh-delay-seconds" => options with { Market = options.Market with { SshDelay = Seconds(name, Value()) } },
                "--key-delay-seconds" => options with { Market = options.Market with { KeyDelay = Seconds(name, Value()) } },
                "--list-lag-seconds" => options with { Market = options.Market with { ListLag = Seconds(name, Value()) } },
                "--charges-delay-seconds" => options with { Market = options.Market with { ChargesDelay = Seconds(name, Value()) } },
                "--status-lag-seconds" => options with { Market = options.Market with { StatusLag = Seconds(name, Value()) } },
                "--speed" => options with { Market = options.Market with { Speed = (double)Number(name, Value(), 0.001m, (decimal)MarketPace.Fastest) } },
                "--spend-limit" => options with { Market = options.Market with { SpendLimitPerHour = Number(name, Value(), 0, 1_000_000) } },
                "--log-delay-seconds" => options with { LogDelay = Seconds(name, Value()) },
                "--credit" => options with { Market = options.Market with { Credit = Number(name, Value(), -1_000_000, 1_000_000_000) } },
                "--max-instances" => options with { Market = options.Market with { MaxInstances = (int)Number(name, Value(), 1, 300) } },
                "--seed" => options with { Seed = (ulong)Number(name, Value(), 0, long.MaxValue) },
                "--limits" => options with { Limits = Value() switch
                {
                    "off" => LimitMode.Off,
                    "real" => LimitMode.Real,
                    "harsh" => LimitMode.Harsh,
                    var other => throw new FormatException($"--limits knows off, real and harsh, not '{other}'."),
                } },
                "--control" => options with { Control = true },
                _ => throw new FormatException($"Unknown argument {name}."),
            };
        }

        // A market that boots at once has no other pauses either, unless they were asked for.
        var pause = TimeSpan.FromSeconds(Math.Min(1, options.Market.Boot.TotalSeconds / 4));
        options = options with
        {
            Market = options.Market with
            {
                SshDelay = arguments.Contains("--ssh-delay-seconds") ? options.Market.SshDelay : pause,
                KeyDelay = arguments.Contains("--key-delay-seconds") ? options.Market.KeyDelay : pause,
            },
        };
        // Three ports an instance.
        return options.Data.Length == 0 ? throw new FormatException("--data is needed.")
            : options.LastInstancePort - options.FirstInstancePort + 1 >= 3 * options.Market.MaxInstances ? options
            : throw new FormatException($"--instance-ports needs room for {3 * options.Market.MaxInstances} ports.");
    }

    private static SandboxOptions WithPorts(SandboxOptions options, string value)
    {
        var ends = value.Split('-');
        if (ends.Length != 2)
        {
            throw new FormatException("--instance-ports needs FIRST-LAST.");
        }

        return options with
        {
            FirstInstancePort = (int)Number("--instance-ports", ends[0], 1024, 65_535),
            LastInstancePort = (int)Number("--instance-ports", ends[1], 1024, 65_535),
        };
    }

    private static TimeSpan Seconds(string name, string value) => TimeSpan.FromSeconds((double)Number(name, value, 0, 86_400));

    private static decimal Number(string name, string value, decimal least, decimal most) =>
        decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} needs a number between {least} and {most}, not '{value}'.");
}
