namespace Dashboard.Web.Startup;

/// <summary>
/// Holds the data directory for this process alone. The operating system lets go when the process ends, however it
/// ends, so there is never a stale lock. Whoever holds it is the only node.
/// </summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file) => _file = file;

    /// <exception cref="ConfigurationFault">Another process holds it, or it cannot be written.</exception>
    public static DataDirectoryLock Take(string directory)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
            }
            else
            {
                Directory.CreateDirectory(directory, OwnerOnly);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationFault("Data:Directory", $"{directory} cannot be made: {error.Message}");
        }

        try
        {
            return new DataDirectoryLock(new FileStream(Path.Combine(directory, "dashboard.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException error)
        {
            throw new ConfigurationFault("Data:Directory", $"{directory} cannot be written: {error.Message}");
        }
        catch (IOException)
        {
            throw new ConfigurationFault("Data:Directory", $"another dashboard already runs on {directory}. Stop it, or give this one a data directory of its own.");
        }
    }

    public void Dispose() => _file.Dispose();
}
