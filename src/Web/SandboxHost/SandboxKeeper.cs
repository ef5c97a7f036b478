using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Dashboard.Web.SandboxHost;

/// <summary>Keeps the embedded marketplace running: attaches to a living one, starts one where there is none, tells pages what is missing.</summary>
internal sealed partial class SandboxKeeper(
    IOptions<SandboxOptions> options, DataDirectory data, SandboxStatus status, SandboxConnections connections, IServer server,
    IHostApplicationLifetime lifetime, IHostEnvironment environment, TimeProvider time, ILogger<SandboxKeeper> log) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private string Folder => Path.Combine(Path.GetFullPath(data.Root), "sandbox");

    private string Address => $"http://127.0.0.1:{options.Value.Port}";

    public override void Dispose()
    {
        _http.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!(options.Value.Enabled ?? environment.IsDevelopment()))
        {
            return;
        }

        status.Set(new SandboxState.Starting());
        try
        {
            await WorkAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        await StartedAsync(stoppingToken);
        if (ListensBeyondLoopback())
        {
            if (!options.Value.AllowRemote)
            {
                GiveUp("The sandbox marketplace runs commands on this computer, and this server can be reached from others. Set Sandbox:AllowRemote to true to run it all the same.");
                return;
            }

            status.RemoteAllowed = true;
        }

        await KeepAsync(stoppingToken);
    }

    private async Task KeepAsync(CancellationToken ct)
    {
        var pause = LookEvery;
        while (!ct.IsCancellationRequested)
        {
            if (await LivesAsync(ct))
            {
                await OpenAsync(ct);
                pause = LookEvery;
            }
            else if (await LaunchAsync(ct) is { } final)
            {
                GiveUp(final);
                return;
            }
            else if (status.State is SandboxState.Running)
            {
                continue;
            }
            else
            {
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }

            await Task.Delay(pause, time, ct);
        }
    }

    /// <returns>A sentence when trying again cannot help.</returns>
    private async Task<string?> LaunchAsync(CancellationToken ct)
    {
        if (SandboxProcess.Find(options.Value) is not { } executable)
        {
            return "The sandbox marketplace was not built. Build src/Sandbox, or set Sandbox:Executable to Dashboard.Sandbox.dll.";
        }

        status.Set(new SandboxState.Starting());
        var launch = new SandboxProcess(executable, Folder, Path.GetFullPath(options.Value.Tools is { Length: > 0 } tools ? tools : Path.Combine(data.Root, "tools")), options.Value);
        using var process = launch.Start();
        Started(options.Value.Port);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < StartPatience)
        {
            if (process.HasExited)
            {
                var words = launch.LastWords();
                status.Set(new SandboxState.Unavailable(words));
                Ended(process.ExitCode, words);
                return process.ExitCode == SandboxProcess.PrerequisiteMissing ? words : null;
            }

            if (await LivesAsync(ct))
            {
                await OpenAsync(ct);
                return null;
            }

            await Task.Delay(AskAgain, time, ct);
        }

        status.Set(new SandboxState.Unavailable("The sandbox marketplace does not answer. Its words are in data/sandbox/sandbox.log."));
        return null;
    }

    private async Task<bool> LivesAsync(CancellationToken ct)
    {
        try
        {
            var health = await _http.GetFromJsonAsync<JsonElement>($"{Address}/sandbox/health", ct);
            return health.ValueKind == JsonValueKind.Object && health.TryGetProperty("name", out var name) && name.GetString() == "dashboard-sandbox";
        }
        catch (Exception error) when (error is HttpRequestException or JsonException || (error is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return false;
        }
    }

    private async Task OpenAsync(CancellationToken ct)
    {
        var keyFile = Path.Combine(Folder, "account.key");
        if (!File.Exists(keyFile))
        {
            status.Set(new SandboxState.Unavailable($"A sandbox marketplace with other data runs on port {options.Value.Port}. Stop it, or set Sandbox:Port."));
            return;
        }

        var key = new Secret((await File.ReadAllTextAsync(keyFile, ct)).Trim());
        if (status.State is SandboxState.Running && status.Account?.Key.Reveal() == key.Reveal())
        {
            return;
        }

        status.Open(new Market(Provider.VastAi, Address, Simulated: true), key);
        await connections.ConnectAllAsync(ct);
        Runs(Address);
    }

    private async Task StartedAsync(CancellationToken ct)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(ct);
    }

    private bool ListensBeyondLoopback() => server.Features.Get<IServerAddressesFeature>()!.Addresses
        .Select(BindingAddress.Parse)
        .Any(a => a.Host != "localhost" && !(IPAddress.TryParse(a.Host, out var ip) && IPAddress.IsLoopback(ip)));

    private void GiveUp(string sentence)
    {
        status.Set(new SandboxState.Unavailable(sentence));
        Without(sentence);
    }

    [LoggerMessage(EventId = 3210, Level = LogLevel.Information, Message = "Starting the sandbox marketplace on port {Port}")]
    private partial void Started(int port);

    [LoggerMessage(EventId = 3211, Level = LogLevel.Warning, Message = "The sandbox marketplace ended with {ExitCode}: {Words}")]
    private partial void Ended(int exitCode, string words);

    [LoggerMessage(EventId = 3212, Level = LogLevel.Information, Message = "The sandbox marketplace runs on {Address}")]
    private partial void Runs(string address);

    [LoggerMessage(EventId = 3213, Level = LogLevel.Warning, Message = "Going on without the sandbox marketplace: {Sentence}")]
    private partial void Without(string sentence);
}
