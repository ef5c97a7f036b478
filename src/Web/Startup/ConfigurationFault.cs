namespace Dashboard.Web.Startup;

/// <summary>A setting that makes a start impossible. Names the key, so that whoever runs the server knows what to set.</summary>
internal sealed class ConfigurationFault(string key, string sentence) : Exception($"{key}: {sentence}")
{
    public string Key { get; } = key;
}
