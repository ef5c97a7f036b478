using System.Diagnostics;
using System.Globalization;
using Dashboard.Infrastructure.Backups;

namespace Dashboard.Web.Startup;

/// <summary><c>backup [--to FILE] [--without-keys]</c> and <c>restore FILE [--replace]</c>, with the same settings as the server.</summary>
internal static class DataCommands
{
    private const string Usage = "usage: dashboard backup [--to FILE] [--without-keys]\n       dashboard restore FILE [--replace]";
    private const int BadUsage = 64; // EX_USAGE
    private const int Failed = 1;

    public static bool IsOne(string[] arguments) => arguments is ["backup" or "restore", ..];

    /// <returns>The exit code.</returns>
    /// <exception cref="ConfigurationFault">A setting is wrong, or a server holds the data directory that is to be restored into.</exception>
    public static async Task<int> RunAsync(string[] arguments, ServerSettings settings, TextWriter said, TextWriter wrong)
    {
        try
        {
            var (rest, keys, replace, to) = (arguments[1..].ToList(), !arguments.Contains("--without-keys"), arguments.Contains("--replace"), (string?)null);
            rest.RemoveAll(argument => argument is "--without-keys" or "--replace");
            if (rest is ["--to", var target])
            {
                (to, rest) = (target, []);
            }

            switch (arguments[0])
            {
                case "backup" when rest.Count == 0 && !replace:
                    return await BackUpAsync(settings, to, keys, said);
                case "restore" when rest is [var file] && !file.StartsWith('-') && keys:
                    return await RestoreAsync(settings, file, replace, said);
                default:
                    await wrong.WriteLineAsync(Usage);
                    return BadUsage;
            }
        }
        catch (Exception fault) when (fault is ArchiveException or IOException or UnauthorizedAccessException)
        {
            await wrong.WriteLineAsync(fault.Message);
            return Failed;
        }
    }

    private static async Task<int> BackUpAsync(ServerSettings settings, string? file, bool keys, TextWriter said)
    {
        var clock = Stopwatch.StartNew();
        file ??= Path.Combine(settings.DataDirectory, "backups", string.Create(CultureInfo.InvariantCulture, $"dashboard-{TimeProvider.System.GetUtcNow():yyyyMMdd-HHmmss}.tar.gz"));
        var manifest = await DataArchive.WriteAsync(settings.DataDirectory, settings.Database, file, [settings.CertificatePath ?? file, keys ? file : settings.KeysDirectory], TimeProvider.System, CancellationToken.None);
        await said.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{file}: installation {manifest.Installation}, {manifest.Files.Count} files, {new FileInfo(file).Length} bytes, {clock.Elapsed.TotalSeconds:0.0} s"));
        if (!keys)
        {
            await said.WriteLineAsync($"The key ring is not in it: back {settings.KeysDirectory} up apart, nothing can be decrypted without it.");
        }
        else if (settings.CertificatePath is null)
        {
            await said.WriteLineAsync("No certificate protects the key ring in it: keep it as you would keep the provider keys.");
        }

        return 0;
    }

    private static async Task<int> RestoreAsync(ServerSettings settings, string file, bool replace, TextWriter said)
    {
        var clock = Stopwatch.StartNew();
        using var held = DataDirectoryLock.Take(settings.DataDirectory);
        var manifest = await DataArchive.RestoreAsync(settings.DataDirectory, settings.Database, file, replace, TimeProvider.System, CancellationToken.None);
        await said.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Restored installation {manifest.Installation} as of {manifest.TakenAt:yyyy-MM-dd HH:mm} UTC, {manifest.Files.Count} files, {clock.Elapsed.TotalSeconds:0.0} s."));
        await said.WriteLineAsync("Its next start is in quarantine: nothing is rented or swept until a site administrator has confirmed it on the page /system.");
        return 0;
    }
}
