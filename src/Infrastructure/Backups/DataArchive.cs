using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Dashboard.Infrastructure.Persistence;
using Microsoft.Data.Sqlite;

namespace Dashboard.Infrastructure.Backups;

/// <summary>An archive that cannot be made or used; the message says why.</summary>
public sealed class ArchiveException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What an archive is of, and what is in it.</summary>
/// <param name="TakenAt">UTC.</param>
/// <param name="Files">SHA-256, lower-case hex, of every file by its path in the archive.</param>
public sealed record ArchiveManifest(int Format, string Installation, DateTimeOffset TakenAt, IReadOnlyDictionary<string, string> Files);

/// <summary>
/// One file with everything that makes an installation: the database as of one instant, the key ring, logs, metrics and artifacts. A
/// <c>.tar.gz</c> with a manifest at its end. Holds the key ring: whoever has it, and no certificate protects the ring, can read the provider keys.
/// </summary>
public static class DataArchive
{
    private const int Format = 1;
    private const string Manifest = "manifest.json";
    private const string DatabaseName = "dashboard.db";
    private const string Part = ".part";
    private const string DatabasePart = ".database.part";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Of this computer, or made anew: not of the installation.
    private static readonly HashSet<string> LeftOut = new(StringComparer.Ordinal) { "sandbox", "tools", "backups", "dashboard.lock", "setup-url", "server.log", "reserve" };

    /// <summary>Writes an archive while the server may be running. A crash leaves no archive, never half of one.</summary>
    /// <param name="connectionString">Of the database in use.</param>
    /// <param name="skip">Files and folders that must not be in it, such as the certificate of the key ring.</param>
    /// <exception cref="ArchiveException">There is no database, or its copy is damaged.</exception>
    public static async Task<ArchiveManifest> WriteAsync(string directory, string connectionString, string file, IReadOnlyList<string> skip, TimeProvider time, CancellationToken ct)
    {
        var source = new SqliteConnectionStringBuilder(connectionString).DataSource;
        if (!File.Exists(source))
        {
            throw new ArchiveException($"There is no database {source}.");
        }

        file = Path.GetFullPath(file);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var (part, copy) = (file + Part, file + DatabasePart);
        ForgetKilled(Path.GetDirectoryName(file)!);
        try
        {
            var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
            DateTimeOffset taken;
            string installation;
            await using (var stream = Create(part)) // held from the beginning: others see that somebody writes it
            {
                taken = time.GetUtcNow();
                CopyDatabase(source, copy); // first: what it speaks of is on disk by then
                installation = Installation(copy);
                await using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
                await using (var tar = new TarWriter(gzip, TarEntryFormat.Pax))
                {
                    hashes[DatabaseName] = await AddAsync(tar, copy, DatabaseName, ct) ?? throw new ArchiveException("The copy of the database is gone.");
                    foreach (var path in Files(directory, source, skip, file))
                    {
                        var name = Path.GetRelativePath(directory, path).Replace('\\', '/');
                        if (await AddAsync(tar, path, name, ct) is { } hash)
                        {
                            hashes[name] = hash;
                        }
                    }

                    var manifest = new ArchiveManifest(Format, installation, taken, hashes);
                    using var text = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, JsonSerializerOptions.Web));
                    await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, Manifest) { DataStream = text, Mode = OwnerOnly }, ct);
                }

                stream.Flush(flushToDisk: true);
            }

            File.Move(part, file, overwrite: true);
            return new ArchiveManifest(Format, installation, taken, hashes);
        }
        finally
        {
            File.Delete(part);
            File.Delete(copy);
        }
    }

    /// <summary>
    /// Puts an archive in the place of what is in the directory and marks it as restored, so that its next start is in quarantine. What was
    /// there is moved aside, not deleted. The caller holds the directory's lock.
    /// </summary>
    /// <param name="replace">Allows to move a present database aside.</param>
    /// <exception cref="ArchiveException">The archive is damaged or not one of ours, or there is a database already.</exception>
    public static async Task<ArchiveManifest> RestoreAsync(string directory, string connectionString, string file, bool replace, TimeProvider time, CancellationToken ct)
    {
        var database = new SqliteConnectionStringBuilder(connectionString).DataSource;
        if (File.Exists(database) && !replace)
        {
            throw new ArchiveException($"There is a database already, {database}. With --replace it is moved aside.");
        }

        var part = Path.Combine(directory, "restore.part");
        if (Directory.Exists(part))
        {
            Directory.Delete(part, recursive: true);
        }

        var manifest = await UnpackAsync(file, part, ct);
        Check(Path.Combine(part, DatabaseName));

        // The old database leaves first and the new one comes last: a start between them finds none, and says that the directory was another's.
        var aside = Path.Combine(directory, $"before-restore-{time.GetUtcNow():yyyyMMdd-HHmmss}");
        foreach (var name in (string[])[database, database + "-wal", database + "-shm"])
        {
            Move(name, Path.Combine(aside, Path.GetFileName(name)));
        }

        foreach (var name in Directory.EnumerateFileSystemEntries(part).Select(path => Path.GetFileName(path)!).Where(name => name != DatabaseName).ToList())
        {
            Move(Path.Combine(directory, name), Path.Combine(aside, name));
            Move(Path.Combine(part, name), Path.Combine(directory, name));
        }

        var known = InstallationFile.Read(directory) ?? new InstallationFile(manifest.Installation, 0, 0, null, null);
        (known with { DatabaseFile = null, Restored = $"Restored from the backup of {manifest.TakenAt:yyyy-MM-dd HH:mm} UTC. Machines rented since then are not in it, and the installation it was made of may still be in use." }).Write(directory);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(database))!);
        File.Move(Path.Combine(part, DatabaseName), database);
        Directory.Delete(part, recursive: true);
        return manifest;
    }

    /// <summary>One instant of a database that may be in use, checked, as a single file.</summary>
    /// <exception cref="ArchiveException">The copy is damaged.</exception>
    internal static void CopyDatabase(string source, string target)
    {
        File.Delete(target);
        using (Create(target))
        {
            // Made here, so that nobody else may read it while SQLite fills it.
        }

        using (var from = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = source, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = 30 }.ToString()))
        using (var to = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = target, Pooling = false }.ToString()))
        {
            from.Open();
            to.Open();
            from.BackupDatabase(to);
            Execute(to, "PRAGMA journal_mode=DELETE;"); // no file beside it
        }

        Check(target);
    }

    /// <summary>Deletes what backups left in a folder that were killed while they wrote. One that is being written is locked by whoever does.</summary>
    private static void ForgetKilled(string folder)
    {
        foreach (var archive in Directory.GetFiles(folder, "*" + DatabasePart + "*").Select(path => path[..path.LastIndexOf(DatabasePart, StringComparison.Ordinal)]).Distinct().ToList())
        {
            try
            {
                using var unused = Create(archive + Part);
                foreach (var left in Directory.GetFiles(folder, Path.GetFileName(archive) + DatabasePart + "*"))
                {
                    File.Delete(left); // its journal too
                }

                File.Delete(archive + Part);
            }
            catch (IOException)
            {
                // Somebody writes it.
            }
        }
    }

    private static void Check(string database)
    {
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = database, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            connection.Open();
            if (Execute(connection, "PRAGMA integrity_check;") is not "ok" and var damage)
            {
                throw new ArchiveException($"The database is damaged: {damage}");
            }
        }
        catch (SqliteException error)
        {
            throw new ArchiveException($"The database is damaged: {error.Message}", error);
        }
    }

    private static string Installation(string database)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = database, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        connection.Open();
        return Execute(connection, "SELECT Label FROM Installations;") ?? throw new ArchiveException("The database has never been started with.");
    }

    private static string? Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this class
        command.CommandText = text;
#pragma warning restore CA2100
        return command.ExecuteScalar()?.ToString();
    }

    // An index may not speak of bytes that are not in the archive, so it is read before the files it points into.
    private static IEnumerable<string> Files(string directory, string database, IReadOnlyList<string> skip, string archive) =>
        Directory.EnumerateFiles(directory, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device })
            .Where(path => Path.GetRelativePath(directory, path) is var name
                && !LeftOut.Contains(name.Split(Path.DirectorySeparatorChar)[0]) && !name.StartsWith("before-restore-", StringComparison.Ordinal)
                && !path.StartsWith(database, StringComparison.Ordinal) && !path.EndsWith(".part", StringComparison.Ordinal) && path != archive && !skip.Any(not => path == not || path.StartsWith(not + Path.DirectorySeparatorChar, StringComparison.Ordinal)) && name != Manifest)
            .OrderBy(path => Path.GetDirectoryName(path), StringComparer.Ordinal).ThenBy(path => Path.GetFileName(path) != "index");

    /// <returns>The hash; null when the file has gone meanwhile.</returns>
    private static async Task<string?> AddAsync(TarWriter tar, string path, string name, CancellationToken ct)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        await using var measured = new MeasuredStream(file); // logs grow while they are read
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = measured, Mode = OwnerOnly, ModificationTime = File.GetLastWriteTimeUtc(path) }, ct);
        return measured.Hash();
    }

    private static async Task<ArchiveManifest> UnpackAsync(string file, string folder, CancellationToken ct)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        ArchiveManifest? manifest = null;
        try
        {
            await using var stream = File.OpenRead(file);
            await using var gzip = new GZipStream(stream, CompressionMode.Decompress);
            await using var tar = new TarReader(gzip);
            while (await tar.GetNextEntryAsync(cancellationToken: ct) is { } entry)
            {
                if (entry.EntryType is not TarEntryType.RegularFile || !IsPlain(entry.Name))
                {
                    throw new ArchiveException($"{file} holds {entry.EntryType} {entry.Name}, which no backup does.");
                }

                if (entry.Name == Manifest)
                {
                    manifest = await JsonSerializer.DeserializeAsync<ArchiveManifest>(entry.DataStream!, JsonSerializerOptions.Web, ct);
                    continue;
                }

                var path = Path.Combine(folder, entry.Name);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await using var target = Create(path);
                if (entry.DataStream is { } content)
                {
                    await content.CopyToAsync(target, ct);
                }

                target.Flush(flushToDisk: true);
                target.Position = 0;
                found[entry.Name] = Convert.ToHexStringLower(await SHA256.HashDataAsync(target, ct));
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or JsonException or FileNotFoundException or FormatException)
        {
            throw new ArchiveException($"{file} is no backup, or is damaged: {error.Message}", error);
        }

        return manifest switch
        {
            null => throw new ArchiveException($"{file} is no backup, or was cut short: it has no manifest."),
            { Format: not Format } => throw new ArchiveException($"{file} is of another version of this program."),
            _ when manifest.Files.Count != found.Count || manifest.Files.Any(known => found.GetValueOrDefault(known.Key) != known.Value) => throw new ArchiveException($"{file} is damaged: its files are not those of its manifest."),
            _ when !found.ContainsKey(DatabaseName) => throw new ArchiveException($"{file} has no database."),
            _ => manifest,
        };
    }

    private static bool IsPlain(string name) => name.Length is > 0 and < 1024 && !Path.IsPathRooted(name) && !name.Contains('\\', StringComparison.Ordinal) && name.Split('/').All(part => part is not ("" or "." or ".."));

    /// <summary>File by file: the key ring may be a volume of its own, which can neither be renamed nor be reached by a rename.</summary>
    private static void Move(string from, string to)
    {
        if (File.Exists(from))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Move(from, to, overwrite: true);
        }
        else if (Directory.Exists(from))
        {
            Directory.CreateDirectory(to);
            foreach (var entry in Directory.EnumerateFileSystemEntries(from).ToList())
            {
                Move(entry, Path.Combine(to, Path.GetFileName(entry)));
            }
        }
    }

    private static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        return new FileStream(path, options);
    }
}
