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
    private const string TokenHeader = "X-Control-Token";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60); // suites run side by side

    private readonly SandboxSettings _settings;
    private readonly string _tools;
    private readonly HttpClient _control;
    private Process? _process;

    private SandboxProcess(SandboxSettings settings, string data, string tools)
    {
        (_settings, _tools, DataDirectory) = (settings, tools, data);
        BaseUrl = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{settings.Port}");
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(BaseUrl) };
        _control = new HttpClient { BaseAddress = new Uri(BaseUrl), DefaultRequestHeaders = { { TokenHeader, ControlToken } } };
    }

    /// <summary>Without a trailing slash, as a market has it.</summary>
    public string BaseUrl { get; }

    public int Port => _settings.Port;

    /// <summary>Speaks to it without any key, and follows no redirect.</summary>
    public HttpClient Http { get; }

    /// <summary>The account key.</summary>
    public string ApiKey { get; private set; } = "";

    /// <summary>Opens <c>/sandbox/control</c>, as the header <c>X-Control-Token</c>.</summary>
    public string ControlToken { get; } = RandomNumberGenerator.GetHexString(32);

    public string DataDirectory { get; }

    public int ProcessId => _process!.Id;

    /// <exception cref="InvalidOperationException">It did not start; the message holds what it said, such as a missing program.</exception>
    public static async Task<SandboxProcess> StartAsync(SandboxSettings settings, CancellationToken ct = default)
    {
        var sandbox = new SandboxProcess(settings, settings.DataDirectory ?? TemporaryFolder(), await FetchToolsAsync(ct));
        try
        {
            await sandbox.StartAgainAsync(ct);
            return sandbox;
        }
        catch
        {
            await sandbox.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the executable on this folder and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">As <see cref="StartAsync(SandboxSettings, CancellationToken)"/>.</exception>
    public async Task StartAgainAsync(CancellationToken ct = default)
    {
        var said = new StringBuilder();
        _process?.Dispose();
        _process = Process.Start(Command(
        [
            "--port", Text(Port), "--data", DataDirectory, "--tools", _tools,
            "--instance-ports", $"{Text(_settings.InstancePorts.First)}-{Text(_settings.InstancePorts.Last)}",
            "--billing-factor", Text(_settings.BillingFactor), "--boot-seconds", Text(_settings.BootSeconds), "--list-lag-seconds", Text(_settings.ListLagSeconds),
            "--charges-delay-seconds", Text(_settings.ChargesDelaySeconds), "--credit", Text(_settings.Credit), "--seed", Text(_settings.Seed), "--control", .. _settings.More,
        ]))!;
        _process.OutputDataReceived += (_, line) => Note(said, line.Data);
        _process.ErrorDataReceived += (_, line) => Note(said, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            await _process.StandardInput.WriteLineAsync(ControlToken.AsMemory(), ct);
            await _process.StandardInput.FlushAsync(ct);
            await Eventually.HoldsAsync(IsUpAsync, "the sandbox answers", Patience, ct);
            ApiKey = (await File.ReadAllTextAsync(Path.Combine(DataDirectory, "account.key"), ct)).Trim();
        }
        catch (Exception error) when (error is TimeoutException or IOException)
        {
            throw new InvalidOperationException($"The sandbox did not start: {said}", error);
        }
    }

    /// <summary>Starts one that is expected to refuse.</summary>
    /// <returns>Its exit code and what it said.</returns>
    public static async Task<(int Code, string Said)> RefusalAsync(params IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(Command(arguments))!;
        process.StandardInput.Close();
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, said.Trim());
    }

    /// <summary>The sandbox's own books: <c>now, living, credit, rent_calls, instances[{id,label,phase,running,disk_billed,rates,traffic,bill}], accounts, faults, requests[{at,method,path,status,key_id,faults}]</c>.</summary>
    public async Task<JsonElement> TruthAsync(CancellationToken ct = default) => JsonElement.Parse(await _control.GetStringAsync("/sandbox/control/truth", ct));

    /// <summary>As <see cref="TruthAsync"/> with <c>requests</c> left empty, for whoever asks often.</summary>
    public async Task<JsonElement> TruthWithoutLogAsync(CancellationToken ct = default) => JsonElement.Parse(await _control.GetStringAsync("/sandbox/control/truth?log=false", ct));

    /// <summary>Turns a switch, as <c>docs/sandbox-control.md</c> names it; <paramref name="path"/> without <c>/sandbox/control</c>.</summary>
    /// <exception cref="HttpRequestException">The sandbox has no such switch or position.</exception>
    public async Task SwitchAsync(HttpMethod method, string path, string body = "{}", CancellationToken ct = default) => await ControlAsync(method, path, body, ct);

    /// <summary>As <see cref="SwitchAsync"/>, with what it answers.</summary>
    /// <exception cref="HttpRequestException">The sandbox has no such switch or position.</exception>
    public async Task<JsonElement> ControlAsync(HttpMethod method, string path, string body = "{}", CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(method, $"/sandbox/control{path}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await _control.SendAsync(request, ct);
        answer.EnsureSuccessStatusCode();
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync(ct));
    }

    /// <summary>Where the disk of a living machine lies on this computer; null when there is none.</summary>
    public async Task<string?> RootOfAsync(string contractId, CancellationToken ct = default)
    {
        using var answer = await _control.GetAsync($"/sandbox/control/instances/{contractId}/root", ct);
        return answer.IsSuccessStatusCode ? JsonElement.Parse(await answer.Content.ReadAsStringAsync(ct)).GetProperty("root").GetString() : null;
    }

    /// <summary>SIGKILL for the sandbox alone: its machines are swept by the next one on the same data.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as Ctrl-C: lets it end its machines.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        using var terminate = Process.Start("kill", ["-TERM", Text(ProcessId)]);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process!.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process!.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await TerminateAsync();
        }

        _process?.Dispose();
        Http.Dispose();
        _control.Dispose();
        if (_settings.DataDirectory is null)
        {
            // Folders that a machine made unreadable do not stop rm.
            using var removal = Process.Start("/bin/rm", ["-rf", DataDirectory]);
            await removal.WaitForExitAsync();
        }
    }

    private static string TemporaryFolder()
    {
        var data = Directory.CreateTempSubdirectory("sandbox-test-").FullName;
        if (!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess)
        {
            File.SetUnixFileMode(data, File.GetUnixFileMode(data) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute); // machines run as another user
        }

        return data;
    }

    private static ProcessStartInfo Command(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Repository.Built("Sandbox", "Dashboard.Sandbox.dll"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        return start;
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
        if (_process!.HasExited)
        {
            throw new IOException($"It ended with {_process.ExitCode}.");
        }

        try
        {
            using var answer = await Http.GetAsync("/sandbox/health");
            // Whoever answers may be another one that was faster to take the port.
            return answer.StatusCode == HttpStatusCode.OK && JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("pid").GetInt32() == ProcessId;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
