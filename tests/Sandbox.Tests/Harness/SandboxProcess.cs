using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dashboard.Tests.Shared;

namespace Dashboard.Sandbox.Tests.Harness;

/// <summary>The real executable in a folder and on ports of its own. Ends, with its containers, when disposed.</summary>
public sealed class SandboxProcess : IAsyncDisposable
{
    public const string ControlToken = "control-token-of-the-tests";
    private static int _blocks = RandomNumberGenerator.GetInt32(29);
    private readonly List<string> _arguments;
    private readonly bool _control;
    private Process? _process;

    private SandboxProcess(string data, int port, List<string> arguments, bool control)
    {
        (Data, Port, _arguments, _control) = (data, port, arguments, control);
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
    }

    /// <summary>What the executable is started with when a test does not say otherwise: no waiting anywhere.</summary>
    public static IReadOnlyList<string> Immediate { get; } =
        ["--boot-seconds", "0", "--list-lag-seconds", "0", "--charges-delay-seconds", "0", "--log-delay-seconds", "0"];

    public string Data { get; }

    public int Port { get; }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public string AccountKey => File.ReadAllText(Path.Combine(Data, "account.key")).Trim();

    public int ProcessId => _process!.Id;

    public static async Task<SandboxProcess> StartAsync(IReadOnlyList<string> arguments, bool control = true)
    {
        var data = Directory.CreateTempSubdirectory("sandbox-tests-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            File.SetUnixFileMode(data, File.GetUnixFileMode(data) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute); // containers run as another user
        }

        var (port, instancePorts) = FreeBlock();
        var sandbox = new SandboxProcess(data, port, [.. arguments, "--instance-ports", instancePorts, .. Tools()], control);
        await sandbox.StartAgainAsync();
        return sandbox;
    }

    /// <summary>Starts the executable on this folder and waits until it answers.</summary>
    public async Task StartAgainAsync(params string[] further)
    {
        _process = Launch([.. _arguments, .. further]);
        await Eventually.HoldsAsync(AnswersAsync, "the sandbox answers");
    }

    /// <summary>Starts a second one, which is expected to refuse.</summary>
    /// <returns>Exit code and what it said.</returns>
    public static async Task<(int Code, string Said)> RefusalAsync(params string[] arguments)
    {
        using var process = Process.Start(Command(arguments))!;
        process.StandardInput.Close();
        var said = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, said.Trim());
    }

    public void KillHard() => _process!.Kill();

    /// <summary>As Ctrl-C does.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-TERM", ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await _process!.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public Task<Answer> GetAsync(string path, string? key = null) => SendAsync(HttpMethod.Get, path, null, key ?? AccountKey);

    public Task<Answer> PostAsync(string path, string body, string? key = null) => SendAsync(HttpMethod.Post, path, body, key ?? AccountKey);

    public Task<Answer> PutAsync(string path, string body, string? key = null) => SendAsync(HttpMethod.Put, path, body, key ?? AccountKey);

    public Task<Answer> DeleteAsync(string path, string? key = null) => SendAsync(HttpMethod.Delete, path, "{}", key ?? AccountKey);

    /// <param name="key">Sent as a bearer token; an empty one is not sent.</param>
    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body, string key)
    {
        using var request = new HttpRequestMessage(method, path);
        if (key.Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        if (path.StartsWith("/sandbox/control", StringComparison.Ordinal))
        {
            request.Headers.Add("X-Control-Token", ControlToken);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        }

        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new Answer((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), text);
    }

    public async Task<JsonNode> TruthAsync() => (await GetAsync("/sandbox/control/truth")).Json;

    /// <summary>Its own truth about one instance.</summary>
    public async Task<JsonNode> TruthAsync(int id) => (await TruthAsync())["instances"]!.AsArray().Single(instance => (int)instance!["id"]! == id)!;

    public async Task<JsonArray> SearchAsync(string query) => (await PostAsync("/api/v0/bundles/", query)).Json["offers"]!.AsArray();

    /// <summary>Rents the cheapest offer that matches, trying the next when somebody else was faster.</summary>
    public async Task<Rented> RentAsync(string search = """{"num_gpus":{"eq":1},"order":[["dph_total","asc"]]}""", string extra = "")
    {
        foreach (var offer in await SearchAsync(search))
        {
            var ask = (int)offer!["id"]!;
            var answer = await PutAsync($"/api/v0/asks/{ask}/", $$"""{"client_id":"me","image":"debian:12","disk":16,"runtype":"ssh_direct"{{extra}}}""");
            if (answer.Status == 200)
            {
                return new Rented((int)answer.Json["new_contract"]!, ask, (string)answer.Json["instance_api_key"]!);
            }

            Assert.Equal(410, answer.Status);
        }

        throw new InvalidOperationException("No offer could be rented.");
    }

    public async Task<JsonNode?> InstanceAsync(int id) => (await GetAsync($"/api/v0/instances/{id}/")).Json["instances"];

    public Task RunsAsync(int id) => Eventually.HoldsAsync(async () => (string?)(await InstanceAsync(id))?["actual_status"] == "running", $"instance {id} runs");

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await TerminateAsync();
        }

        _process?.Dispose();
        Http.Dispose();
        using var removal = Process.Start("/bin/rm", ["-rf", Data]);
        await removal.WaitForExitAsync(CancellationToken.None);
    }

    // Where sshd and bwrap are not installed, the folder that fetch-tools filled.
    private static string[] Tools() => Environment.GetEnvironmentVariable("SANDBOX_TOOLS") is { Length: > 0 } folder ? ["--tools", folder] : [];

    private static ProcessStartInfo Command(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Dashboard.Sandbox.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    // One port for the API and thirty for instances, out of a range of the tests' own.
    private static (int Port, string InstancePorts) FreeBlock()
    {
        for (var tried = 0; tried < 29; tried++)
        {
            var block = Interlocked.Increment(ref _blocks) % 29;
            var (port, first) = (15_000 + block, 15_100 + (block * 30));
            if (Free(port) && Free(first))
            {
                return (port, string.Create(CultureInfo.InvariantCulture, $"{first}-{first + 29}"));
            }
        }

        throw new InvalidOperationException("No free ports between 15000 and 15999.");
    }

    private static bool Free(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private Process Launch(IEnumerable<string> arguments)
    {
        var process = Process.Start(Command([.. arguments, "--port", Port.ToString(CultureInfo.InvariantCulture), "--data", Data, .. _control ? ["--control"] : Array.Empty<string>()]))!;
        if (_control)
        {
            process.StandardInput.WriteLine(ControlToken);
        }

        process.StandardInput.Close();
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, line) => Console.Error.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task<bool> AnswersAsync()
    {
        Assert.False(_process!.HasExited, $"The sandbox ended with {(_process.HasExited ? _process.ExitCode : 0)}.");
        try
        {
            return (await SendAsync(HttpMethod.Get, "/sandbox/health", null, "")).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}

/// <summary>An answer as it came over the wire.</summary>
public sealed record Answer(int Status, string? ContentType, string Text)
{
    public JsonNode Json => JsonNode.Parse(Text)!;

    public string? Error => (string?)Json["error"];
}

/// <summary>A contract just made.</summary>
public sealed record Rented(int Id, int AskId, string InstanceKey);

/// <summary>One sandbox for all tests that leave it as they found it: without waiting, with credit for all, billing a thousandfold.</summary>
public sealed class SharedSandbox : IAsyncLifetime
{
    public SandboxProcess Sandbox { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Sandbox = await SandboxProcess.StartAsync([.. SandboxProcess.Immediate, "--credit", "1000000", "--billing-factor", "1000"]);

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
}

/// <summary>Tests on the shared sandbox run one after the other: it holds ten instances.</summary>
[CollectionDefinition(Name)]
public sealed class OnTheSharedSandbox : ICollectionFixture<SharedSandbox>
{
    public const string Name = "shared sandbox";
}
