using System.Diagnostics;
using System.Globalization;

namespace Dashboard.Web.SandboxHost;

/// <summary>Starts the embedded marketplace in a session of its own, so that neither a crash of this server nor a Ctrl-C in its terminal ends it.</summary>
internal sealed class SandboxProcess(string executable, string data, string tools, SandboxOptions options)
{
    /// <summary>Its exit code for "something this computer lacks"; it will not go away by itself.</summary>
    public const int PrerequisiteMissing = 3;

    // Its words go to a file: a pipe to this server would break when this server ends, and the marketplace with it.
    private const string Launch = "exec setsid \"$@\" </dev/null >\"$SANDBOX_LOG\" 2>&1";
    private static readonly string[] Inherited = ["PATH", "HOME", "USER", "LANG", "TMPDIR", "DOTNET_ROOT", "DOTNET_CLI_HOME"];

    private string LogFile => Path.Combine(data, "sandbox.log");

    /// <summary>Where the executable is, or null.</summary>
    public static string? Find(SandboxOptions options)
    {
        const string dll = "Dashboard.Sandbox.dll";
        var here = AppContext.BaseDirectory;
        var build = Path.TrimEndingDirectorySeparator(here).Split(Path.DirectorySeparatorChar);

        // src/Web/bin/Debug/net10.0 -> src/Sandbox/bin/Debug/net10.0
        string[] places = options.Executable is { Length: > 0 } configured
            ? [configured]
            : [Path.Combine(here, dll), Path.Combine(here, "sandbox", dll), .. build.Length > 3 ? (string[])[Path.Combine(here, "..", "..", "..", "..", "Sandbox", "bin", build[^2], build[^1], dll)] : []];
        return places.Select(Path.GetFullPath).FirstOrDefault(File.Exists);
    }

    /// <exception cref="System.ComponentModel.Win32Exception">There is no shell to start it with.</exception>
    public Process Start()
    {
        Directory.CreateDirectory(data);
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        string[] arguments =
        [
            "-c", Launch, "sandbox",
            .. executable.EndsWith(".dll", StringComparison.Ordinal) ? (string[])[Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet", executable] : [executable],
            "--port", options.Port.ToString(CultureInfo.InvariantCulture), "--data", data, "--tools", tools,
            .. options.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // This server's own environment may hold its secrets and settings; the marketplace needs neither.
        var inherited = Inherited.Select(name => (name, value: Environment.GetEnvironmentVariable(name))).Where(v => v.value is not null).ToList();
        start.Environment.Clear();
        foreach (var (name, value) in inherited)
        {
            start.Environment[name] = value;
        }

        start.Environment["SANDBOX_LOG"] = LogFile;
        return Process.Start(start)!;
    }

    /// <summary>The last sentence it said.</summary>
    public string LastWords()
    {
        var lines = File.Exists(LogFile) ? File.ReadAllLines(LogFile) : [];
        return Array.FindLast(lines, line => !string.IsNullOrWhiteSpace(line))?.Trim() ?? "The sandbox marketplace ended without a word.";
    }
}
