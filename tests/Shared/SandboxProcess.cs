using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Dashboard.Tests.Shared;

/// <summary>How a sandbox is started. Each suite has ports of its own.</summary>
public sealed record SandboxSettings
{
    public required int Port { get; init; }

    /// <summary>First and last port for the sshd of its machines; at least thirty.</summary>
    public required (int First, int Last) InstancePorts { get; init; }

    /// <summary>Dollars billed for a dollar of real time.</summary>
    public decimal BillingFactor { get; init; } = 1;

    public double BootSeconds { get; init; } = 1;

    public double ListLagSeconds { get; init; }

    public double ChargesDelaySeconds { get; init; }

    public decimal Credit { get; init; } = 100;

    public int Seed { get; init; } = 1;

    /// <summary>Further arguments, name and value each.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <summary>Its state; null makes a folder that is deleted in the end.</summary>
    public string? DataDirectory { get; init; }
}

/// <summary>The real sandbox executable, started for tests with its control endpoints. Disposing it ends it and its machines.</summary>
public sealed class SandboxProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly HttpClient _http;
    private readonly string? _temporary;

    private SandboxProcess(Process process, SandboxSettings settings, string data, string token)
    {
        (_process, DataDirectory) = (process, data);
        _temporary = settings.DataDirectory is null ? data : null;
        BaseUrl = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{settings.Port}");
        _http = new HttpClient { BaseAddress = new Uri(BaseUrl), DefaultRequestHeaders = { { "X-Control-Token", token } } };
    }

    /// <summary>Without a trailing slash, as a market has it.</summary>
    public string BaseUrl { get; }

    /// <summary>The account key.</summary>
    public string ApiKey { get; private set; } = "";

    public string DataDirectory { get; }

    public int ProcessId => _process.Id;

    /// <exception cref="InvalidOperationException">It did not start; the message holds what it said, such as a missing program.</exception>
    public static async Task<SandboxProcess> StartAsync(SandboxSettings settings, CancellationToken ct = default)
    {
        var data = settings.DataDirectory ?? Directory.CreateTempSubdirectory("sandbox-test-").FullName;
        var token = RandomNumberGenerator.GetHexString(32);
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
        [
            Repository.Built("Sandbox", "Dashboard.Sandbox.dll"),
            "--port", Text(settings.Port), "--data", data, "--tools", await FetchToolsAsync(ct),
            "--instance-ports", $"{Text(settings.InstancePorts.First)}-{Text(settings.InstancePorts.Last)}",
            "--billing-factor", Text(settings.BillingFactor), "--boot-seconds", Text(settings.BootSeconds), "--list-lag-seconds", Text(settings.ListLagSeconds),
            "--charges-delay-seconds", Text(settings.ChargesDelaySeconds), "--credit", Text(settings.Credit), "--seed", Text(settings.Seed), "--control", .. settings.More,
        ])
        {
            start.ArgumentList.Add(argument);
        }

        var said = new StringBuilder();
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Note(said, line.Data);
        process.ErrorDataReceived += (_, line) => Note(said, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var sandbox = new SandboxProcess(process, settings, data, token);
        try
        {
            await process.StandardInput.WriteLineAsync(token.AsMemory(), ct);
            await process.StandardInput.FlushAsync(ct);
            await Eventually.HoldsAsync(sandbox.IsUpAsync, "the sandbox answers", Patience, ct);
            sandbox.ApiKey = (await File.ReadAllTextAsync(Path.Combine(data, "account.key"), ct)).Trim();
            return sandbox;
        }
        catch (Exception error) when (error is TimeoutException or IOException)
        {
            await sandbox.DisposeAsync();
            throw new InvalidOperationException($"The sandbox did not start: {said}", error);
        }
    }

    /// <summary>The sandbox's own books: <c>now, living, credit, rent_calls, instances[{id,label,phase,running,disk_billed,rates,traffic,bill}], requests[{at,method,path,status}]</c>.</summary>
    public async Task<JsonElement> TruthAsync(CancellationToken ct = default) => JsonElement.Parse(await _http.GetStringAsync("/sandbox/control/truth", ct));

    /// <summary>Where the disk of a living machine lies on this computer; null when there is none.</summary>
    public async Task<string?> RootOfAsync(string contractId, CancellationToken ct = default)
    {
        using var answer = await _http.GetAsync($"/sandbox/control/instances/{contractId}/root", ct);
        return answer.IsSuccessStatusCode ? JsonElement.Parse(await answer.Content.ReadAsStringAsync(ct)).GetProperty("root").GetString() : null;
    }

    /// <summary>SIGKILL for the sandbox alone: its machines are swept by the next one on the same data.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // SIGTERM lets it end its machines.
            using var terminate = Process.Start("kill", ["-TERM", Text(_process.Id)]);
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync();
            }
        }

        _process.Dispose();
        _http.Dispose();
        if (_temporary is not null)
        {
            Directory.Delete(_temporary, recursive: true);
        }
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static void Note(StringBuilder said, string? line)
    {
        lock (said)
        {
            said.AppendLine(line);
        }
    }

    // Once a clone; suites that start together wait for each other.
    private static async Task<string> FetchToolsAsync(CancellationToken ct)
    {
        var tools = Path.Combine(Repository.Root, "data", "tools");
        Directory.CreateDirectory(tools);
        FileStream? turn = null;
        await Eventually.HoldsAsync(() => TryLock(Path.Combine(tools, ".lock"), out turn), "another suite has fetched the tools", TimeSpan.FromMinutes(5), ct);
        await using (turn)
        {
            var start = new ProcessStartInfo(Path.Combine(Repository.Root, "src", "Sandbox", "fetch-tools"), [tools]) { RedirectStandardError = true, RedirectStandardOutput = true };
            using var fetching = Process.Start(start)!;
            var (said, wrong) = (fetching.StandardOutput.ReadToEndAsync(ct), fetching.StandardError.ReadToEndAsync(ct));
            await fetching.WaitForExitAsync(ct);
            return fetching.ExitCode == 0 ? tools : throw new InvalidOperationException($"{await said}{await wrong}");
        }
    }

    private static bool TryLock(string path, out FileStream? held)
    {
        try
        {
            held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            held = null;
            return false;
        }
    }

    private async Task<bool> IsUpAsync()
    {
        if (_process.HasExited)
        {
            throw new IOException($"It ended with {_process.ExitCode}.");
        }

        try
        {
            using var answer = await _http.GetAsync("/sandbox/health");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
