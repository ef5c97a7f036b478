using System.Globalization;
using System.Security.Cryptography;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>How a world differs from the usual one.</summary>
internal sealed record WorldSettings
{
    /// <summary>First port of this world: server, market. Its machines have ports of their own.</summary>
    public required int Slot { get; init; }

    /// <summary>With an owner, a team and an API token from configuration; without, set-up is open.</summary>
    public bool Bootstrapped { get; init; } = true;

    public decimal BillingFactor { get; init; } = 1;

    /// <summary>Market seconds in a real one: prices, rivals, ends of contracts. Bills stay in real seconds.</summary>
    public int Speed { get; init; } = 1;

    public double BootSeconds { get; init; } = 2;

    public double ListLagSeconds { get; init; } = 1;

    /// <summary>Instances that the market holds at once, strangers included.</summary>
    public int MaxInstances { get; init; } = 10;

    public IReadOnlyDictionary<string, string> Server { get; init; } = new Dictionary<string, string>();
}

/// <summary>A sandbox marketplace and a server on it, with a data directory of their own, thrown away in the end.</summary>
internal sealed class World : IAsyncDisposable
{
    public const string Email = "mira@halden.example";
    public const string Team = "Halden Lab";
    public const string Slug = "halden-lab";
    private const int FirstPort = 19_000;
    private const int FirstInstancePort = 44_000;
    private const int InstancePortsASlot = 300;
    private readonly string _folder;

    private World(SandboxProcess sandbox, ServerProcess server, string folder, string token) =>
        (Sandbox, Server, _folder, Token) = (sandbox, server, folder, token);

    public SandboxProcess Sandbox { get; }

    public ServerProcess Server { get; }

    /// <summary>A folder of this world for whatever else a test needs.</summary>
    public string Folder => _folder;

    /// <summary>Bearer token of the bootstrapped owner.</summary>
    public string Token { get; }

    public static string Password { get; } = "correct horse battery " + RandomNumberGenerator.GetHexString(8, lowercase: true);

    public static async Task<World> StartAsync(WorldSettings settings, CancellationToken ct)
    {
        // Below /var/tmp: the market's machines run as another user, who could not enter a private folder of root's.
        var folder = Directory.CreateDirectory(Path.Combine("/var/tmp", $"dashboard-e2e-{Guid.NewGuid():N}")).FullName;
        var data = Path.Combine(folder, "data");
        var port = FirstPort + (settings.Slot * 2);
        var firstInstancePort = FirstInstancePort + (settings.Slot * InstancePortsASlot);
        var sandbox = await SandboxProcess.StartAsync(
            new SandboxSettings
            {
                Port = port + 1,
                InstancePorts = (firstInstancePort, firstInstancePort + (3 * settings.MaxInstances) + 9),
                BillingFactor = settings.BillingFactor,
                BootSeconds = settings.BootSeconds,
                ListLagSeconds = settings.ListLagSeconds,
                Credit = 1_000_000,
                More = ["--speed", settings.Speed.ToString(CultureInfo.InvariantCulture), "--max-instances", settings.MaxInstances.ToString(CultureInfo.InvariantCulture)],
                DataDirectory = Path.Combine(data, "sandbox"),
            },
            ct);

        var token = RandomNumberGenerator.GetHexString(48, lowercase: true);
        var server = new Dictionary<string, string>(settings.Server) { ["Sandbox:Enabled"] = "true", ["Sandbox:Port"] = $"{port + 1}" };
        if (settings.Bootstrapped)
        {
            (server["Bootstrap:Email"], server["Bootstrap:Password"], server["Bootstrap:Team"], server["Bootstrap:ApiToken"]) = (Email, Password, Team, token);
        }

        var world = new World(sandbox, new ServerProcess(port, data, server), folder, token);
        try
        {
            await world.Server.StartAsync(ct);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>A server of its own on another data directory, with the same market; not started.</summary>
    public ServerProcess AnotherServer(string dataDirectory, int port, IReadOnlyDictionary<string, string> settings) =>
        new(port, dataDirectory, new Dictionary<string, string>(settings) { ["Sandbox:Enabled"] = "false", ["Sandbox:Port"] = Sandbox.Port.ToString(CultureInfo.InvariantCulture) });

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Evidence.KeepAsync("server.log", Server.Log);
        await Sandbox.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
