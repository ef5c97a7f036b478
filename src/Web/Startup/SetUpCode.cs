using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Dashboard.Web.Startup;

/// <summary>
/// The one-time code that the first owner has to bring from the server's console: without it, whoever reaches a fresh
/// installation first would own it. New at every start while nobody owns the installation, gone once it was used.
/// </summary>
internal sealed class SetUpCode(ServerSettings settings)
{
    private byte[]? _code;

    public bool IsOpen => Volatile.Read(ref _code) is not null;

    private string UrlFile => Path.Combine(settings.DataDirectory, "setup-url");

    /// <returns>The address to open, with the code.</returns>
    public string Open(string address)
    {
        var code = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(24));
        Volatile.Write(ref _code, Encoding.ASCII.GetBytes(code));
        var url = $"{address.TrimEnd('/')}/setup?code={code}";
        WritePrivately(url);
        return url;
    }

    /// <summary>Whether this is the code. Takes the same time whatever was sent.</summary>
    public bool Matches(string? sent) =>
        Volatile.Read(ref _code) is { } code && CryptographicOperations.FixedTimeEquals(SHA256.HashData(code), SHA256.HashData(Encoding.UTF8.GetBytes(sent ?? "")));

    public void Close()
    {
        Volatile.Write(ref _code, null);
        File.Delete(UrlFile);
    }

    private void WritePrivately(string url)
    {
        File.Delete(UrlFile);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(UrlFile, options);
        writer.Write(url + "\n");
    }
}
