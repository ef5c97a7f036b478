using Microsoft.Data.Sqlite;

namespace Dashboard.Web.Startup;

/// <summary>What has to be known before anything else is built. Read once; wrong values stop the start.</summary>
/// <param name="DataDirectory">Absolute.</param>
/// <param name="Database">SQLite connection string.</param>
/// <param name="PublicUrl">Where people reach this server, without a trailing slash.</param>
/// <param name="CertificatePath">PKCS #12 file that protects the key ring; null: the directory's permissions do.</param>
internal sealed record ServerSettings(string DataDirectory, string Database, Uri PublicUrl, string? CertificatePath)
{
    public const string DefaultAddress = "http://localhost:5080";

    public string KeysDirectory => Path.Combine(DataDirectory, "keys");

    /// <exception cref="ConfigurationFault">Naming the key to set.</exception>
    public static ServerSettings Read(IConfiguration configuration, bool production)
    {
        var data = Path.GetFullPath(configuration["Data:Directory"] is { Length: > 0 } directory ? directory : "data");
        return new ServerSettings(data, ReadDatabase(configuration, data), ReadPublicUrl(configuration, production), ReadCertificate(configuration));
    }

    private static string ReadDatabase(IConfiguration configuration, string data)
    {
        var provider = configuration["Database:Provider"];
        if (provider is not (null or "" or "Sqlite"))
        {
            throw new ConfigurationFault("Database:Provider", $"'{provider}' is not supported by this version; set it to Sqlite or leave it out.");
        }

        var text = configuration.GetConnectionString("Dashboard");
        try
        {
            var builder = new SqliteConnectionStringBuilder(string.IsNullOrEmpty(text) ? $"Data Source={Path.Combine(data, "dashboard.db")}" : text);
            if (builder.DataSource.Length == 0)
            {
                throw new ConfigurationFault("ConnectionStrings:Dashboard", "needs a Data Source, for example Data Source=data/dashboard.db.");
            }

            builder.DefaultTimeout = 30; // seconds a writer waits for another one
            return builder.ToString();
        }
        catch (ArgumentException)
        {
            throw new ConfigurationFault("ConnectionStrings:Dashboard", "is not a SQLite connection string, for example Data Source=data/dashboard.db.");
        }
    }

    private static Uri ReadPublicUrl(IConfiguration configuration, bool production)
    {
        var text = configuration["PublicUrl"];
        if (string.IsNullOrEmpty(text))
        {
            return production
                ? throw new ConfigurationFault("PublicUrl", "is required in Production: the address people use, for example https://gpu.example.org.")
                : new Uri(FirstAddress(configuration));
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0
            ? new Uri(text.TrimEnd('/'))
            : throw new ConfigurationFault("PublicUrl", "needs an absolute http or https address, for example https://gpu.example.org.");
    }

    // Links are made for people, who cannot open "any address".
    private static string FirstAddress(IConfiguration configuration)
    {
        var first = configuration["urls"]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault();
        return BindingAddressOf(first) is { } port ? $"http://localhost:{port}" : DefaultAddress;
    }

    private static int? BindingAddressOf(string? address) =>
        address is not null && address.LastIndexOf(':') is > 6 and var colon && int.TryParse(address.AsSpan(colon + 1).TrimEnd('/'), out var port) ? port : null;

    private static string? ReadCertificate(IConfiguration configuration)
    {
        var path = configuration["KeyRing:CertificatePath"];
        return string.IsNullOrEmpty(path) ? null
            : File.Exists(path) ? Path.GetFullPath(path)
            : throw new ConfigurationFault("KeyRing:CertificatePath", $"there is no file {path}.");
    }
}
