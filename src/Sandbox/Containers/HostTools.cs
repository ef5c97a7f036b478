using System.ComponentModel;
using System.Diagnostics;

namespace Dashboard.Sandbox.Containers;

/// <summary>The programs containers are made of: Debian packages unpacked into a folder by <c>fetch-tools</c>, which leaves out what the system has.</summary>
internal sealed record HostTools(string Bwrap, string Sshd, string SshKeygen, string? UnpackedAt)
{
    /// <summary>Where an unpacked folder appears inside a container.</summary>
    public const string InsideContainer = "/opt/sandbox-tools";

    private static readonly string[] LibraryFolders = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"];

    /// <summary>How sshd is called inside a container.</summary>
    public string SshdInside => Inside(Sshd);

    public string SshKeygenInside => Inside(SshKeygen);

    /// <summary>Value of <c>LD_LIBRARY_PATH</c> for unpacked programs, outside or inside a container.</summary>
    public string Libraries(bool inside) => UnpackedAt is { } root
        ? string.Join(':', LibraryFolders.Select(folder => Path.Combine(inside ? InsideContainer : root, folder)))
        : "";

    private string Inside(string program) => UnpackedAt is { } root && program.StartsWith(root + "/", StringComparison.Ordinal) ? InsideContainer + program[root.Length..] : program;

    /// <summary>Finds every tool or says in one sentence what is missing.</summary>
    public static (HostTools? Tools, string? Missing) Find(string? unpackedAt)
    {
        var root = unpackedAt is not null && Directory.Exists(Path.Combine(unpackedAt, "usr")) ? Path.GetFullPath(unpackedAt).TrimEnd('/') : null;
        string? Program(params string[] places) => places
            .SelectMany(place => root is null ? [place] : new[] { root + place, place })
            .FirstOrDefault(File.Exists);

        foreach (var needed in new[] { "/usr/bin/python3", "/bin/bash", "/usr/bin/prlimit", "/usr/bin/setpriv", "/usr/bin/setsid" })
        {
            if (!File.Exists(needed))
            {
                return (null, $"The sandbox needs {needed}: install the Debian packages python3, bash and util-linux.");
            }
        }

        return (Program("/usr/bin/bwrap"), Program("/usr/sbin/sshd"), Program("/usr/bin/ssh-keygen")) switch
        {
            (null, _, _) => (null, "The sandbox needs bwrap (Debian package bubblewrap): run src/Sandbox/fetch-tools DIR and pass --tools DIR."),
            (_, null, _) => (null, "The sandbox needs sshd (Debian package openssh-server): run src/Sandbox/fetch-tools DIR and pass --tools DIR."),
            (_, _, null) => (null, "The sandbox needs ssh-keygen (Debian package openssh-client): run src/Sandbox/fetch-tools DIR and pass --tools DIR."),
            ({ } bwrap, { } sshd, { } keygen) => (new HostTools(bwrap, sshd, keygen, root), null),
        };
    }
}

/// <summary>Short programs that are run to the end.</summary>
internal static class Run
{
    private const int CannotExecute = 126;

    /// <returns>Exit code and what was printed, errors last.</returns>
    public static async Task<(int Code, string Output)> ToEndAsync(IReadOnlyList<string> command, string? libraries, CancellationToken ct)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        if (!string.IsNullOrEmpty(libraries))
        {
            start.Environment["LD_LIBRARY_PATH"] = libraries;
        }

        using var process = Start(start);
        if (process is null)
        {
            return (CannotExecute, $"{command[0]} cannot be executed.");
        }

        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return (process.ExitCode, (await output + await errors).Trim());
    }

    private static Process? Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception)
        {
            return null; // not there, no permission, or no program
        }
    }

    /// <summary>Runs to the end; a failure is an exception that carries what was printed.</summary>
    public static async Task CheckedAsync(IReadOnlyList<string> command, string? libraries, CancellationToken ct)
    {
        var (code, output) = await ToEndAsync(command, libraries, ct);
        if (code != 0)
        {
            throw new IOException($"{Path.GetFileName(command[0])} failed ({code}): {output}");
        }
    }
}
