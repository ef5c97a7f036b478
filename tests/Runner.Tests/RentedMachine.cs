using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dashboard.Tests.Shared;

namespace Dashboard.Runner.Tests;

/// <summary>
/// One attempt in a temporary folder, as it lies on a rented machine, with real shells and Python behind it.
/// Everything it starts carries its id in the environment and is killed, with all descendants, when it is disposed.
/// </summary>
public sealed class RentedMachine : IAsyncDisposable
{
    public static readonly string Scripts = Path.Combine(AppContext.BaseDirectory, "Runner");

    private readonly string _id = Guid.NewGuid().ToString("N");
    private readonly List<Process> _started = [];

    public RentedMachine(string? folder = null)
    {
        Home = folder ?? Path.Combine(Path.GetTempPath(), "runner-tests", _id);
        Root = Path.Combine(Home, "gd");
        Attempt = Path.Combine(Root, "attempt");
        Bin = Path.Combine(Home, "bin");
        Directory.CreateDirectory(Path.Combine(Attempt, "bundle", "data"));
        Directory.CreateDirectory(Bin);
        Environment = new()
        {
            ["PATH"] = Bin + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            ["HOME"] = Home,
            ["LANG"] = "C.UTF-8",
            ["GD_TEST"] = _id,
            ["GD_TICK_S"] = "0.05",
            ["GD_DESTROY_S"] = "1",
            ["GD_ROOT"] = Root,
            ["GD_HOSTKEYS"] = Path.Combine(Home, "ssh"),
            ["GD_ENVIRONMENT"] = Path.Combine(Home, "environment"),
            ["GD_CGROUP"] = Path.Combine(Home, "cgroup"),
        };
    }

    /// <summary>The machine's files: the attempts below <see cref="Root"/>, tools that shadow the system's in <see cref="Bin"/>.</summary>
    public string Home { get; }
    public string Root { get; }
    public string Attempt { get; }
    public string Bin { get; }
    public Dictionary<string, string> Environment { get; }

    public string At(string path) => Path.Combine(Attempt, path);
    public bool Has(string path) => File.Exists(At(path));
    public string Read(string path) => Has(path) ? File.ReadAllText(At(path)) : "";
    public string[] Lines(string path) => Read(path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    public JsonNode Json(string path) => JsonNode.Parse(Read(path))!;

    /// <summary>A smoke run small enough for a test.</summary>
    public RentedMachine Smoke(int steps, int batch = 8, int saveSteps = 10, double pace = 0, object? limits = null) =>
        Spec(new { v = 1, attempt = 1, preset = "smoke", train = new { max_steps = steps, batch }, save = new { steps = saveSteps }, pace_s = pace, limits });

    /// <summary>A custom command with that script.</summary>
    public RentedMachine Command(string script, string[]? collect = null, object? limits = null)
    {
        File.WriteAllText(At("bundle/script.sh"), script);
        return Spec(new { v = 1, attempt = 1, backend = "command", command = new { script = "script.sh", collect = collect ?? [] }, limits });
    }

    public RentedMachine Spec(object spec) => Spec(JsonSerializer.Serialize(spec));

    /// <summary>Completes the bundle as the server does: the product's own files, the spec, MANIFEST last.</summary>
    public RentedMachine Spec(string json)
    {
        var bundle = At("bundle");
        foreach (var file in Directory.GetFiles(Scripts))
        {
            File.Copy(file, Path.Combine(bundle, Path.GetFileName(file)), overwrite: true);
        }

        File.WriteAllText(Path.Combine(bundle, "spec.json"), json);
        var manifest = new StringBuilder();
        foreach (var file in Directory.GetFiles(bundle, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith("MANIFEST", StringComparison.Ordinal)))
        {
            manifest.Append(Sha256(file)).Append("  ").Append(Path.GetRelativePath(bundle, file)).Append('\n');
        }

        File.WriteAllText(Path.Combine(bundle, "MANIFEST"), manifest.ToString());
        return this;
    }

    /// <summary>A tool that shadows the system's.</summary>
    public RentedMachine Tool(string name, string body)
    {
        var path = Path.Combine(Bin, name);
        File.WriteAllText(path + ".new", "#!/bin/sh\n" + body + "\n");
        File.SetUnixFileMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(path + ".new", path, overwrite: true);
        return this;
    }

    /// <summary>The machine can destroy itself through this provider.</summary>
    public RentedMachine RentedFrom(LoopbackProvider provider)
    {
        Environment["GD_API_BASE"] = provider.BaseUrl;
        Environment["CONTAINER_ID"] = LoopbackProvider.ContractId;
        Environment["CONTAINER_API_KEY"] = LoopbackProvider.Key;
        return this;
    }

    public void Lease(int seq, int seconds) => Put("lease", $$"""{"until":0,"seq":{{seq}},"for":{{seconds}}}""");

    /// <summary>Writes a control file as the server does: beside it, then renamed.</summary>
    public void Put(string path, string content)
    {
        File.WriteAllText(At(path) + ".new", content);
        File.Move(At(path) + ".new", At(path), overwrite: true);
    }

    /// <summary>Starts the supervisor with the documented line; the process returned is the supervisor itself.</summary>
    public Process StartSupervisor(string shell = "sh") =>
        Start($"exec setsid {shell} '{At("bundle/supervisor.sh")}' </dev/null >>'{At("supervisor.log")}' 2>&1");

    public Process Start(string script)
    {
        var info = new ProcessStartInfo("/bin/sh", ["-c", script]) { WorkingDirectory = Home, UseShellExecute = false };
        info.Environment.Clear();
        foreach (var (key, value) in Environment)
        {
            info.Environment[key] = value;
        }

        var process = Process.Start(info)!;
        _started.Add(process);
        return process;
    }

    /// <summary>Runs a line to its end and returns its exit code and output.</summary>
    public async Task<(int Code, string Output)> RunAsync(string script)
    {
        var output = Path.Combine(Home, Guid.NewGuid().ToString("N") + ".out");
        var process = Start($"{{ {script}\n}} </dev/null >'{output}' 2>&1");
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await File.ReadAllTextAsync(output, TestContext.Current.CancellationToken));
    }

    public Task<(int Code, string Output)> TrainAsync(string python = "python3") =>
        RunAsync($"exec {python} -B -u '{At("bundle/trainer.py")}' --spec '{At("bundle/spec.json")}'");

    /// <summary>The supervisor's verdict, once it is there.</summary>
    public async Task<(int Code, string Reason)> EndAsync()
    {
        await Eventually.HoldsAsync(() => Has("exit"), $"an exit file; log: {Read("log")}; supervisor: {Read("supervisor.log")}");
        var exit = Json("exit");
        return ((int)exit["code"]!, (string)exit["reason"]!);
    }

    public Task UntilAsync(Func<bool> holds, string what) => Eventually.HoldsAsync(holds, what, ct: TestContext.Current.CancellationToken);

    /// <summary>The trainer's group leader, from the pid file.</summary>
    public int TrainerPid => int.Parse(Read("pid").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>Signals a process, or its group when <paramref name="pid"/> is negative.</summary>
    public async Task SignalAsync(string signal, int pid) => Assert.Equal((0, ""), await RunAsync($"kill -s {signal} -- {pid}"));

    /// <summary>Living processes that this machine started whose command line holds that text.</summary>
    public int[] Processes(string commandLine = "") =>
        [.. Directory.GetDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && ProcFile(pid, "environ").Contains("GD_TEST=" + _id, StringComparison.Ordinal)
                && ProcFile(pid, "cmdline").Replace('\0', ' ').Contains(commandLine, StringComparison.Ordinal))];

    /// <summary>Supervisors, and for moments what they fork; not the shell around the trainer.</summary>
    public int[] Supervisors() => [.. Processes("bundle/supervisor.sh").Where(pid => ProcFile(pid, "cmdline").EndsWith("supervisor.sh\0", StringComparison.Ordinal))];

    public static string ProcFile(int pid, string name)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{name}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ""; // gone in between
        }
    }

    public static string Sha256(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    public async ValueTask DisposeAsync()
    {
        await Eventually.HoldsAsync(
            () =>
            {
                var living = Processes();
                foreach (var pid in living)
                {
                    try
                    {
                        using var process = Process.GetProcessById(pid);
                        process.Kill();
                    }
                    catch (Exception error) when (error is ArgumentException or InvalidOperationException)
                    {
                        // ended by itself
                    }
                }

                return living.Length == 0;
            },
            "all processes of the machine are gone");
        _started.ForEach(process => process.Dispose());
        Directory.Delete(Home, recursive: true);
    }
}
