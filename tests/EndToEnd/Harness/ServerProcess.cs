using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>The built server as a process of its own, so that it can be killed like a server is killed.</summary>
internal sealed class ServerProcess(int port, string dataDirectory, IReadOnlyDictionary<string, string> settings) : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http = new() { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}")), Timeout = TimeSpan.FromSeconds(5) };
    private readonly StringBuilder _said = new();
    private Process? _process;

    public string BaseUrl => _http.BaseAddress!.ToString().TrimEnd('/');

    public string DataDirectory => dataDirectory;

    public string Database => Path.Combine(dataDirectory, "dashboard.db");

    /// <summary>Everything it logged so far, over all its starts.</summary>
    public string Log
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    /// <summary>The address that the first owner opens, as <c>./run</c> prints it.</summary>
    public string SetUpUrl => File.ReadAllText(Path.Combine(dataDirectory, "setup-url")).Trim();

    /// <summary>When the running process was started.</summary>
    public DateTimeOffset LaunchedAt { get; private set; }

    /// <summary>What the running process has used of the processors.</summary>
    public TimeSpan Computed
    {
        get
        {
            _process!.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts it and returns once it answers, its database migrated and its market attached.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        Launch();
        await ReadyAsync(ct);
    }

    /// <summary>Runs one of the program's commands with the settings of this server.</summary>
    /// <returns>The exit code and what it said.</returns>
    public async Task<(int Code, string Said)> CommandAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        using var process = Process.Start(Command(arguments))!;
        var (said, wrong) = (process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        await process.WaitForExitAsync(ct);
        return (process.ExitCode, (await said + await wrong).Trim());
    }

    /// <summary>Starts it and returns at once.</summary>
    public void Launch()
    {
        _process?.Dispose();
        LaunchedAt = TimeProvider.System.GetUtcNow();
        _process = Process.Start(Command([]))!;
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Returns once it answers.</summary>
    /// <exception cref="InvalidOperationException">It ended, or does not answer; the message holds what it said.</exception>
    public async Task ReadyAsync(CancellationToken ct)
    {
        try
        {
            await Eventually.HoldsAsync(IsReadyAsync, "the server is ready", StartPatience, ct);
        }
        catch (TimeoutException error)
        {
            throw new InvalidOperationException($"The server did not start. It said: {Log}", error);
        }
    }

    /// <summary>SIGKILL: no goodbye, no hand-over.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as <c>docker stop</c> or Ctrl-C.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        using var terminate = Process.Start("kill", ["-TERM", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        using var patience = new CancellationTokenSource(StopPatience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
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
        _http.Dispose();
    }

    private ProcessStartInfo Command(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Repository.Built("Web", "Dashboard.Web.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = BaseUrl;
        start.Environment["Data__Directory"] = dataDirectory;
        foreach (var (name, value) in settings)
        {
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return start;
    }

    private async Task<bool> IsReadyAsync()
    {
        if (_process!.HasExited)
        {
            throw new InvalidOperationException($"The server ended with {_process.ExitCode}. It said: {Log}");
        }

        try
        {
            using var answer = await _http.GetAsync("/health/ready");
            return answer.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private void Note(string? line)
    {
        lock (_said)
        {
            _said.AppendLine(line);
        }
    }
}
